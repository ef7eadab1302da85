/* Counts of latencies, in classes that are at most 0.8 % wide. */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H
#include <stdint.h>

/* Values below CLASSES have a class each; each power of two above has CLASSES / 2 classes. */
#define CLASS_BITS 8
#define CLASSES (1u << CLASS_BITS)
#define SHIFTS (65 - CLASS_BITS)

struct histogram {
	uint64_t counts[SHIFTS * CLASSES], total;
};

static inline void histogram_add(struct histogram *histogram, uint64_t value) {
	unsigned shift = value < CLASSES ? 0 : 64u - CLASS_BITS - (unsigned)__builtin_clzll(value);
	histogram->counts[shift * CLASSES + (value >> shift)]++;
	histogram->total++;
}

/* Returns the value that a share of all values does not exceed: the middle of its class, or 0 if
 * empty. */
static inline double histogram_quantile(const struct histogram *histogram, double share) {
	uint64_t wanted = (uint64_t)((double)histogram->total * share), seen = 0;
	if (wanted == histogram->total && wanted) wanted--;
	for (unsigned shift = 0; shift < SHIFTS; shift++) {
		for (unsigned class = 0; class < CLASSES; class++) {
			seen += histogram->counts[shift * CLASSES + class];
			if (seen <= wanted) continue;
			return (double)((uint64_t)class << shift) + (double)((1ull << shift) - 1) / 2;
		}
	}
	return 0;
}

static inline double histogram_microseconds(const struct histogram *histogram, double share) {
	return histogram_quantile(histogram, share) / 1000.0;
}
#endif
