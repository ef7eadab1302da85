/*
 * The load for a server that accepts and drops: a number of concurrent connects, each of which
 * waits for the server to close, resets the connection to avoid TIME-WAIT, and connects again. The
 * sources are spread over 127.0.0.2 to 127.0.0.33.
 *
 * usage: connrate PORT[,PORT...] SECONDS CONNECTIONS SLICE_MS
 */
#include "load.h"

static uint64_t begun[65536];
static int epoll, live, at_a_time;
static uint64_t slice_length;

static void open_one(struct target *target) {
	int fd = socket_of_next_source();
	struct linger linger = {1, 0};
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	begun[fd] = nanoseconds(CLOCK_MONOTONIC);
	if (fails_to_connect(fd, target->port)) {
		target->errors++;
		close(fd);
		return;
	}
	if (epoll_add(epoll, fd, EPOLLIN | EPOLLRDHUP | EPOLLET) < 0) die("epoll_ctl");
	live++;
}

/* Returns whether the server has closed the connection. */
static int finish_one(struct target *target, int fd) {
	char byte;
	ssize_t received = recv(fd, &byte, 1, 0);
	if (received > 0 || (received < 0 && errno == EAGAIN)) return 0;
	if (received == 0 || errno == ECONNRESET)
		histogram_add(&target->latencies, nanoseconds(CLOCK_MONOTONIC) - begun[fd]);
	else target->errors++;
	close(fd);
	live--;
	return 1;
}

static void slice(int index, uint64_t begin) {
	static struct epoll_event events[1024];
	struct target *target = &targets[index];
	uint64_t end = begin + slice_length;
	int waits = 0;
	while (live || nanoseconds(CLOCK_MONOTONIC) < end) {
		for (int tries = 0; live < at_a_time && tries < at_a_time; tries++) {
			if (nanoseconds(CLOCK_MONOTONIC) >= end) break;
			open_one(target);
		}
		int count = epoll_wait(epoll, events, 1024, 100);
		if (count == 0 && ++waits == 20) {
			fprintf(stderr, "port %d: %d connections were not dropped\n", target->port, live);
			exit(1);
		}
		for (int i = 0; i < count; i++)
			if (finish_one(target, events[i].data.fd)) waits = 0;
	}
}

int main(int argc, char **argv) {
	if (argc != 5) {
		fprintf(stderr, "usage: %s PORT[,PORT...] SECONDS CONNECTIONS SLICE_MS\n", argv[0]);
		return 2;
	}
	parse_ports(argv[1]);
	at_a_time = atoi(argv[3]);
	slice_length = (uint64_t)atoi(argv[4]) * 1000000u;
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0) die("epoll_create1");
	run_slices(atof(argv[2]), slice);
	return 0;
}
