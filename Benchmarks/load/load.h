/*
 * The common part of the loads.
 *
 * A load takes the ports of several servers and gives each of them in turn a short slice of time,
 * until each has had the requested number of seconds. So any disturbance of the machine affects all
 * of them alike. The load prints a JSON list with an entry for each port.
 *
 * Once connected, it prints READY and waits for a byte on its standard input. After the list, it
 * waits for end of input, so that the caller can read the servers' counters in between.
 */
#ifndef LOAD_H
#define LOAD_H
#include "../peers/c/common.h"
#include "histogram.h"
#include <stdlib.h>
#include <time.h>

static uint64_t nanoseconds(clockid_t clock) {
	struct timespec now;
	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#define MAX_SLICES 4096

/* One server, with its time and results. */
struct target {
	int port, is_dead;
	uint64_t active, cpu, errors;
	/* For an open load: the messages sent, and the answers received during warm-up. */
	uint64_t sent, unmeasured;
	struct histogram latencies;
	/* For an open load: how late each message was sent, compared with its due time. */
	struct histogram delays;
	/* For an open load: the 99th percentile of each slice, in microseconds. */
	double slice_p99s[MAX_SLICES];
	int slice_count;
};

#define MAX_TARGETS 32
static struct target targets[MAX_TARGETS];
static int target_count;

static void parse_ports(const char *text) {
	while (target_count < MAX_TARGETS) {
		char *end;
		targets[target_count++].port = (int)strtol(text, &end, 10);
		if (*end != ',') return;
		text = end + 1;
	}
}

/* Returns a new socket; the sources are spread over 127.0.0.2 to 127.0.0.33, for more ports. */
static inline int socket_of_next_source(void) {
	static unsigned next_source;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
	if (fd < 0) die("socket");
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
	struct sockaddr_in source = {.sin_family = AF_INET};
	source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + next_source++ % 32);
	if (bind(fd, (struct sockaddr *)&source, sizeof source) < 0) die("bind");
	return fd;
}

/* Begins to connect, and returns whether that failed. */
static inline int fails_to_connect(int fd, int port) {
	struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return connect(fd, (struct sockaddr *)&server, sizeof server) < 0 && errno != EINPROGRESS;
}

static int compare_doubles(const void *left, const void *right) {
	double one = *(const double *)left, other = *(const double *)right;
	return (one > other) - (one < other);
}

/* Returns the p99 that half of the slices do not exceed, or 0 without slices. */
static double median_slice_p99(struct target *target) {
	if (target->slice_count == 0) return 0;
	qsort(target->slice_p99s, (size_t)target->slice_count, sizeof(double), compare_doubles);
	double upper = target->slice_p99s[target->slice_count / 2];
	double lower = target->slice_p99s[(target->slice_count - 1) / 2];
	return (lower + upper) / 2;
}

static void print_targets(void) {
	const char *separator = "[";
	for (struct target *target = targets; target < targets + target_count; target++) {
		printf("%s{\"requests\": %llu, \"seconds\": %.6f, \"load_cpu\": %.6f, \"errors\": %llu, "
		       "\"sent\": %llu, \"delay_p99\": %.1f, \"p50\": %.1f, \"p90\": %.1f, "
		       "\"p99\": %.1f, \"p99.9\": %.1f, \"slice_p99\": %.1f}",
		       separator, (unsigned long long)(target->latencies.total + target->unmeasured),
		       (double)target->active / 1e9, (double)target->cpu / 1e9,
		       (unsigned long long)target->errors, (unsigned long long)target->sent,
		       histogram_microseconds(&target->delays, 0.99),
		       histogram_microseconds(&target->latencies, 0.5),
		       histogram_microseconds(&target->latencies, 0.9),
		       histogram_microseconds(&target->latencies, 0.99),
		       histogram_microseconds(&target->latencies, 0.999), median_slice_p99(target));
		separator = ", ";
	}
	printf("]\n");
	fflush(stdout);
}

static void run_slices(double seconds, void (*slice)(int index, uint64_t begin)) {
	char byte;
	printf("READY\n");
	fflush(stdout);
	if (read(0, &byte, 1) != 1) exit(1);
	for (int turn = 0, is_over = 0; !is_over; turn++) {
		is_over = 1;
		for (int i = 0; i < target_count; i++) {
			/* Vary the order, so that no target always follows the same other one. */
			int index = (i + turn) % target_count;
			struct target *target = &targets[index];
			if (target->is_dead || (double)target->active / 1e9 >= seconds) continue;
			is_over = 0;
			uint64_t begin = nanoseconds(CLOCK_MONOTONIC);
			uint64_t cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
			slice(index, begin);
			target->active += nanoseconds(CLOCK_MONOTONIC) - begin;
			target->cpu += nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
		}
	}
	print_targets();
	while (read(0, &byte, 1) > 0) {}
}
#endif
