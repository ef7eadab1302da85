/* When messages of an open load are due, and on which connection. */
#ifndef ARRIVALS_H
#define ARRIVALS_H
#include <math.h>
#include <stdint.h>

/* A Poisson process; the same seed yields the same arrivals. */
struct arrivals {
	uint64_t state;
	double mean; /* Between two arrivals, in nanoseconds. */
	double due;  /* Not rounded, so that no error adds up. */
};

/* splitmix64; every state is a valid seed. */
static inline uint64_t arrivals_random(struct arrivals *arrivals) {
	uint64_t bits = arrivals->state += 0x9e3779b97f4a7c15u;
	bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9u;
	bits = (bits ^ bits >> 27) * 0x94d049bb133111ebu;
	return bits ^ bits >> 31;
}

static inline struct arrivals arrivals_of(uint64_t seed, double rate) {
	struct arrivals arrivals = {.state = seed, .mean = 1e9 / rate};
	/* Spreads neighboring seeds far apart. */
	arrivals.state = arrivals_random(&arrivals);
	return arrivals;
}

/* Returns the nanosecond, counted from the start, at which the next message is due. */
static inline uint64_t arrivals_next(struct arrivals *arrivals) {
	/* In (0, 1], because the logarithm of 0 is not finite. */
	double uniform = (double)((arrivals_random(arrivals) >> 11) + 1) * 0x1p-53;
	arrivals->due -= log(uniform) * arrivals->mean;
	return (uint64_t)arrivals->due;
}

static inline int arrivals_connection(struct arrivals *arrivals, int count) {
	return (int)((arrivals_random(arrivals) >> 32) * (uint64_t)count >> 32);
}
#endif
