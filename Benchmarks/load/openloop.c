/*
 * An open load: messages of 64 bytes are due at random times (Poisson arrivals) at a fixed rate, on
 * random connections, whether or not earlier ones have been answered. A latency counts from the
 * time the message was due until its answer arrives. So a stall appears in the latency of every
 * message that it delays, including stalls of the load itself.
 *
 * The process is also the echo server behind the proxies, because both share a core: one loop that
 * never sleeps does the work of both, so no latency contains a wake-up or a switch between them.
 *
 * usage: openloop PORT,...,OWN_PORT SECONDS CONNECTIONS SLICE_MS RATE SEED
 *   OWN_PORT  the port of its own server. It is a target like the others: the floor, which is the
 *             part of a latency that the load itself causes.
 *
 * The first tenth of a slice is not measured. All targets get the same arrivals.
 */
#include "load.h"
#include "arrivals.h"
#include <fcntl.h>

#define MESSAGE 64
#define IN_FLIGHT 1024u       /* The limit of a connection, a power of two. */
#define BUFFER_SIZE (4 << 20) /* Fits every message in flight, with the kernel's overhead. */
#define EVENTS 64
#define PATIENCE 2000000000u

/* A client's end of a connection. Its messages are answered in order. */
struct connection {
	int fd;
	uint32_t sent, answered, partial; /* The last one: bytes of an incomplete answer. */
	uint64_t due[IN_FLIGHT];
};

static struct connection *connections; /* Of the first target, of the second, … */
static int epoll, listener, per_target, total;
static double rate;
static uint64_t slice_length, seed;
static char pattern[MESSAGE], buffer[1 << 16];

/* The target of the current slice. */
static struct target *target;
static struct connection *mine;
static struct arrivals arrivals;
static struct histogram slice_latencies;
static uint64_t begun, measured_from, end, next_due, in_flight;

static void give_up(struct target *failed, const char *why) {
	uint64_t unanswered = failed == target ? in_flight : 0;
	if (failed->is_dead) return;
	fprintf(stderr, "port %d: %s, %llu messages are unanswered\n", failed->port, why,
	        (unsigned long long)unanswered);
	failed->is_dead = 1;
	failed->errors += unanswered > 0 ? unanswered : 1;
	if (failed == target) in_flight = 0;
}

static void compose(char message[MESSAGE], const struct connection *connection, uint32_t sequence) {
	uint32_t head[2] = {(uint32_t)(connection - connections), sequence};
	memcpy(message, pattern, MESSAGE);
	memcpy(message, head, sizeof head);
}

static void send_one(struct connection *connection, uint64_t due) {
	if (connection->sent - connection->answered == IN_FLIGHT) {
		give_up(target, "a connection is stuck");
		return;
	}
	char message[MESSAGE];
	compose(message, connection, connection->sent);
	connection->due[connection->sent++ % IN_FLIGHT] = due;
	in_flight++;
	target->sent++;
	if (send(connection->fd, message, MESSAGE, MSG_NOSIGNAL) != MESSAGE)
		give_up(target, strerror(errno));
}

/* Sends the messages that are due. */
static void send_due(void) {
	while (next_due < end && !target->is_dead) {
		uint64_t now = nanoseconds(CLOCK_MONOTONIC);
		if (now < next_due) return;
		if (next_due >= measured_from) histogram_add(&target->delays, now - next_due);
		send_one(&mine[arrivals_connection(&arrivals, per_target)], next_due);
		next_due = begun + arrivals_next(&arrivals);
	}
}

static void take_answer(struct connection *connection, uint64_t now) {
	uint64_t due = connection->due[connection->answered++ % IN_FLIGHT];
	in_flight--;
	connection->partial = 0;
	if (due < measured_from) {
		target->unmeasured++;
		return;
	}
	histogram_add(&target->latencies, now - due);
	histogram_add(&slice_latencies, now - due);
}

static void receive_answers(struct connection *connection) {
	struct target *owner = &targets[(connection - connections) / per_target];
	ssize_t received = recv(connection->fd, buffer, sizeof buffer, 0);
	uint64_t now = nanoseconds(CLOCK_MONOTONIC);
	if (received < 0 && errno == EAGAIN) return;
	if (received < 0) give_up(owner, strerror(errno));
	if (received == 0) give_up(owner, "a connection was closed");
	for (const char *bytes = buffer; received > 0 && !owner->is_dead;) {
		char expected[MESSAGE];
		size_t piece = MESSAGE - connection->partial;
		if (piece > (size_t)received) piece = (size_t)received;
		compose(expected, connection, connection->answered);
		int differs = memcmp(bytes, expected + connection->partial, piece) != 0;
		if (differs || connection->answered == connection->sent) {
			give_up(owner, "wrong bytes returned");
		} else if ((connection->partial += (uint32_t)piece) == MESSAGE) {
			take_answer(connection, now);
		}
		bytes += piece;
		received -= (ssize_t)piece;
	}
	/* Its connections stay open, but events on them are no longer reported. */
	if (owner->is_dead) epoll_ctl(epoll, EPOLL_CTL_DEL, connection->fd, NULL);
}

/* The server's part; a socket's buffer has room for everything in flight. */
static void echo(int fd) {
	ssize_t received = recv(fd, buffer, sizeof buffer, 0);
	if (received < 0 && errno == EAGAIN) return;
	if (received <= 0 || send(fd, buffer, (size_t)received, MSG_NOSIGNAL) != received) close(fd);
}

static void watch(int fd, uint32_t index) {
	int size = BUFFER_SIZE;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0) die("SO_SNDBUFFORCE");
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
}

/* Handles the received bytes, and sends due messages in between. */
static void turn(void) {
	static struct epoll_event events[EVENTS];
	int count = epoll_wait(epoll, events, EVENTS, 0);
	send_due();
	for (int i = 0; i < count; i++) {
		uint32_t index = events[i].data.u32;
		if (index < (uint32_t)total) {
			receive_answers(&connections[index]);
		} else if (index > (uint32_t)total) {
			echo((int)index - total);
		} else {
			int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
			if (fd >= 0) watch(fd, (uint32_t)(total + fd));
		}
		send_due();
	}
}

static void await_answers(void) {
	uint64_t last = nanoseconds(CLOCK_MONOTONIC) + PATIENCE;
	while (in_flight > 0 && !target->is_dead) {
		turn();
		if (nanoseconds(CLOCK_MONOTONIC) > last) give_up(target, "does not answer");
	}
}

/* Stalls of the machine fill the tail of a few slices; the other slices show the server itself. */
static void note_slice(void) {
	if (slice_latencies.total > 0 && target->slice_count < MAX_SLICES)
		target->slice_p99s[target->slice_count++] = histogram_microseconds(&slice_latencies, 0.99);
	memset(&slice_latencies, 0, sizeof slice_latencies);
}

static void slice(int index, uint64_t begin) {
	target = &targets[index];
	mine = &connections[(size_t)index * (size_t)per_target];
	/* The same slice of each target has the same arrivals. */
	static uint64_t slices[MAX_TARGETS];
	arrivals = arrivals_of(seed << 32 | slices[index]++, rate);
	begun = begin;
	measured_from = begin + slice_length / 10;
	end = begin + slice_length;
	next_due = begin + arrivals_next(&arrivals);
	/* Sends every message that was due, even if the load stalled beyond the end. */
	while ((next_due < end || nanoseconds(CLOCK_MONOTONIC) < end) && !target->is_dead) turn();
	await_answers();
	note_slice();
}

/* One round trip per connection shows that the path to the server is open. */
static void open_connections(void) {
	for (int i = 0; i < total; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
		if (fd < 0) die("socket");
		struct sockaddr_in server = {.sin_family = AF_INET};
		server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		target = &targets[i / per_target];
		mine = &connections[i / per_target * per_target];
		server.sin_port = htons((uint16_t)target->port);
		if (connect(fd, (struct sockaddr *)&server, sizeof server) < 0) die("connect");
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		/* A reset avoids TIME-WAIT. */
		struct linger linger = {1, 0};
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
		fcntl(fd, F_SETFL, O_NONBLOCK);
		connections[i].fd = fd;
		watch(fd, (uint32_t)i);
		measured_from = UINT64_MAX;
		send_one(&connections[i], 0);
		await_answers();
		if (target->is_dead) exit(1);
		target->sent = target->unmeasured = 0;
	}
}

int main(int argc, char **argv) {
	if (argc != 7) {
		fprintf(stderr, "usage: %s PORT,...,OWN_PORT SECONDS CONNECTIONS SLICE_MS RATE SEED\n",
		        argv[0]);
		return 2;
	}
	parse_ports(argv[1]);
	per_target = atoi(argv[3]);
	slice_length = (uint64_t)atoi(argv[4]) * 1000000u;
	rate = atof(argv[5]);
	seed = (uint64_t)atoi(argv[6]);
	if (per_target < 1 || slice_length == 0 || rate <= 0) return 2;
	total = per_target * target_count;
	connections = calloc((size_t)total, sizeof *connections);
	if (!connections) die("calloc");
	for (int i = 0; i < MESSAGE; i++) pattern[i] = (char)('a' + i % 26);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0) die("epoll_create1");
	listener = listen_on(targets[target_count - 1].port);
	/* Descriptor 0 is never a socket here, so no server's end has this index. */
	watch(listener, (uint32_t)total);
	open_connections();
	run_slices(atof(argv[2]), slice);
	return 0;
}
