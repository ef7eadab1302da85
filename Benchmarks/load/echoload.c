/*
 * The load for an echo server: each connection sends BYTES bytes, waits until they are echoed, and
 * sends the next.
 *
 * usage: echoload PORT[,PORT...] SECONDS CONNECTIONS SLICE_MS BYTES
 */
#include "load.h"
#include <fcntl.h>

struct connection {
	uint32_t sent, received;
	uint64_t begun;
	int is_busy, is_dead;
};

static char outgoing[1 << 20], incoming[1 << 16];
static struct connection *connections; /* By file descriptor. */
static int *descriptors;               /* Of the first target, of the second, … */
static int epoll, per_target, busy;
static uint32_t size;
static uint64_t slice_length;

static void lose(struct target *target, int fd) {
	struct connection *connection = &connections[fd];
	if (connection->is_dead) return;
	connection->is_dead = 1;
	target->errors++;
	busy -= connection->is_busy;
	connection->is_busy = 0;
	close(fd);
}

static void push(struct target *target, int fd) {
	struct connection *connection = &connections[fd];
	while (connection->sent < size) {
		size_t left = size - connection->sent;
		ssize_t sent = send(fd, outgoing + connection->sent, left, MSG_NOSIGNAL);
		if (sent >= 0) {
			connection->sent += (uint32_t)sent;
		} else if (errno != EINTR) {
			if (errno != EAGAIN) lose(target, fd);
			return;
		}
	}
}

static void start(struct target *target, int fd, uint64_t now) {
	connections[fd].sent = connections[fd].received = 0;
	connections[fd].begun = now;
	push(target, fd);
}

/* Reads the available bytes; when the answer is complete, starts the next request until time is
 * up. */
static void pull(struct target *target, int fd, uint64_t end) {
	struct connection *connection = &connections[fd];
	for (;;) {
		ssize_t received = recv(fd, incoming, sizeof incoming, 0);
		if (received <= 0) {
			if (received == 0 || (errno != EAGAIN && errno != EINTR)) lose(target, fd);
			return;
		}
		if (connection->received == 0 && incoming[0] != outgoing[0]) target->errors++;
		connection->received += (uint32_t)received;
		if (connection->received > size) lose(target, fd);
		if (connection->received >= size) break;
		if ((size_t)received < sizeof incoming) return;
	}
	if (connection->is_dead) return;
	uint64_t now = nanoseconds(CLOCK_MONOTONIC);
	histogram_add(&target->latencies, now - connection->begun);
	if (now < end) {
		start(target, fd, now);
	} else {
		connection->is_busy = 0;
		busy--;
	}
}

static void slice(int index, uint64_t begin) {
	static struct epoll_event events[1024];
	struct target *target = &targets[index];
	const int *mine = descriptors + (size_t)index * (size_t)per_target;
	uint64_t end = begin + slice_length;
	int waits = 0;
	for (int i = 0; i < per_target; i++) {
		if (connections[mine[i]].is_dead) continue;
		connections[mine[i]].is_busy = 1;
		busy++;
		start(target, mine[i], nanoseconds(CLOCK_MONOTONIC));
	}
	target->is_dead = !busy;
	while (busy) {
		int count = epoll_wait(epoll, events, 1024, 100);
		waits = count == 0 ? waits + 1 : 0;
		if (waits == 20) { /* Two seconds without an answer. */
			for (int i = 0; i < per_target; i++)
				if (connections[mine[i]].is_busy) lose(target, mine[i]);
			target->is_dead = 1;
		}
		for (int i = 0; i < count; i++) {
			int fd = events[i].data.fd;
			if (!connections[fd].is_busy) continue;
			if (connections[fd].sent < size) push(target, fd);
			if (!connections[fd].is_busy) continue;
			if (events[i].events & ~(uint32_t)EPOLLOUT) pull(target, fd, end);
		}
	}
}

static int connect_to(int port) {
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	if (fd < 0) die("socket");
	struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&server, sizeof server) < 0) die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	/* A reset avoids TIME-WAIT. */
	struct linger linger = {1, 0};
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (epoll_add(epoll, fd, EPOLLIN | EPOLLOUT | EPOLLET) < 0) die("epoll_ctl");
	return fd;
}

int main(int argc, char **argv) {
	if (argc != 6) {
		fprintf(stderr, "usage: %s PORT[,PORT...] SECONDS CONNECTIONS SLICE_MS BYTES\n", argv[0]);
		return 2;
	}
	parse_ports(argv[1]);
	per_target = atoi(argv[3]);
	slice_length = (uint64_t)atoi(argv[4]) * 1000000u;
	size = (uint32_t)atoi(argv[5]);
	if (per_target < 1 || size < 1 || size > sizeof outgoing) return 2;
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0) die("epoll_create1");
	for (uint32_t i = 0; i < size; i++) outgoing[i] = (char)('a' + i % 26);
	int total = per_target * target_count;
	connections = calloc((size_t)total + 64, sizeof *connections);
	descriptors = calloc((size_t)total, sizeof *descriptors);
	if (!connections || !descriptors) die("calloc");
	for (int i = 0; i < total; i++) {
		descriptors[i] = connect_to(targets[i / per_target].port);
		if (descriptors[i] >= total + 64) return 3;
	}
	run_slices(atof(argv[2]), slice);
	return 0;
}
