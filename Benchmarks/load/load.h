/*
 * What the loads share.
 *
 * A load takes the ports of several servers and gives each of them in turn a short slice of time,
 * until each has had the seconds that were asked for. So whatever disturbs the machine meanwhile
 * hits all of them alike. It prints a JSON list with an entry for each port.
 *
 * Once connected it prints READY and waits for a byte on its standard input, and after the list it
 * waits for the input's end, so that the caller can read the servers' counters in between.
 */
#ifndef LOAD_H
#define LOAD_H
#include "../peers/c/common.h"
#include <time.h>

static uint64_t nanoseconds(clockid_t clock) {
	struct timespec now;
	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Counts of latencies, in classes that are about 3 % wide. */
#define CLASSES 64
struct histogram {
	uint64_t counts[64 * CLASSES], total;
};

static void histogram_add(struct histogram *histogram, uint64_t value) {
	unsigned shift = value < CLASSES ? 0 : 58u - (unsigned)__builtin_clzll(value);
	histogram->counts[shift * CLASSES + (value >> shift)]++;
	histogram->total++;
}

static double histogram_microseconds(const struct histogram *histogram, double share) {
	uint64_t wanted = (uint64_t)((double)histogram->total * share), seen = 0;
	for (unsigned shift = 0; shift < 58; shift++) {
		for (unsigned class = 0; class < CLASSES; class++) {
			seen += histogram->counts[shift * CLASSES + class];
			if (seen > wanted) return (double)((uint64_t)class << shift) / 1000.0;
		}
	}
	return 0;
}

/* One server, and what it was given and did. */
struct target {
	int port, is_dead;
	uint64_t active, cpu, errors;
	struct histogram latencies;
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

static void print_targets(void) {
	const char *separator = "[";
	for (const struct target *target = targets; target < targets + target_count; target++) {
		printf("%s{\"requests\": %llu, \"seconds\": %.6f, \"load_cpu\": %.6f, \"p50\": %.1f, "
		       "\"p99\": %.1f, \"errors\": %llu}",
		       separator, (unsigned long long)target->latencies.total, (double)target->active / 1e9,
		       (double)target->cpu / 1e9, histogram_microseconds(&target->latencies, 0.5),
		       histogram_microseconds(&target->latencies, 0.99),
		       (unsigned long long)target->errors);
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
			/* Nobody always follows the same one. */
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
