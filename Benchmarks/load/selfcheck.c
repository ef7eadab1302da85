/*
 * Checks what the open load relies on: the histogram's error and the arrivals' distribution.
 *
 * usage: selfcheck
 *
 * Prints each expectation that fails, and then exits with 1.
 */
#include "arrivals.h"
#include "histogram.h"
#include <stdio.h>
#include <string.h>

#define MESSAGES 2000000
#define CONNECTIONS 16

static int failures;

static void expect(const char *what, double value, double expected, double tolerance) {
	if (fabs(value - expected) <= tolerance) return;
	fprintf(stderr, "%s: expected %g within %g, got %g\n", what, expected, tolerance, value);
	failures++;
}

/* A quantile of any single value is off by at most 0.4 %. */
static void check_single_values(void) {
	for (unsigned bit = 0; bit < 64; bit++) {
		for (int offset = -1; offset <= 1; offset++) {
			static struct histogram histogram;
			uint64_t value = (1ull << bit) + (uint64_t)offset;
			memset(&histogram, 0, sizeof histogram);
			histogram_add(&histogram, value);
			double tolerance = (double)value * 0.004;
			expect("a single value", histogram_quantile(&histogram, 0.5), (double)value, tolerance);
		}
	}
}

static void check_quantiles(void) {
	static struct histogram histogram;
	expect("the quantile of nothing", histogram_quantile(&histogram, 0.5), 0, 0);
	for (uint64_t value = 1; value <= 1000000; value++) histogram_add(&histogram, value);
	const double shares[] = {0.5, 0.9, 0.99, 0.999, 1};
	for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
		double expected = 1e6 * shares[i], value = histogram_quantile(&histogram, shares[i]);
		expect("a quantile of 1 to 1,000,000", value, expected, expected * 0.005);
	}
	expect("the number of values", (double)histogram.total, 1e6, 0);
}

/* The gaps are exponential: the deviation equals the mean, and a share of 1/e exceeds the mean. */
static void check_arrivals(void) {
	const double rate = 20000, mean = 1e9 / rate;
	struct arrivals arrivals = arrivals_of(1, rate), again = arrivals_of(1, rate);
	double squares = 0, longer = 0, together = 0;
	uint64_t before = 0, differences = 0, counts[CONNECTIONS] = {0};
	for (int i = 0, last = -1; i < MESSAGES; i++) {
		uint64_t due = arrivals_next(&arrivals);
		int connection = arrivals_connection(&arrivals, CONNECTIONS);
		differences += arrivals_next(&again) != due;
		differences += arrivals_connection(&again, CONNECTIONS) != connection;
		double gap = (double)(due - before);
		squares += (gap - mean) * (gap - mean);
		longer += gap > mean;
		together += connection == last;
		counts[connection]++;
		last = connection;
		before = due;
	}
	expect("arrivals of a seed that differ", (double)differences, 0, 0);
	expect("the mean gap", (double)before / MESSAGES, mean, mean * 0.005);
	expect("the gaps' deviation", sqrt(squares / MESSAGES), mean, mean * 0.01);
	expect("the share of long gaps", longer / MESSAGES, exp(-1), 0.002);
	expect("the share of repeated connections", together / MESSAGES, 1.0 / CONNECTIONS, 0.002);
	for (int i = 0; i < CONNECTIONS; i++)
		expect("a connection's share", (double)counts[i] / MESSAGES, 1.0 / CONNECTIONS, 0.001);
	struct arrivals other = arrivals_of(2, rate);
	again = arrivals_of(1, rate);
	int agrees = arrivals_next(&other) == arrivals_next(&again);
	expect("whether two seeds agree", agrees, 0, 0);
}

int main(void) {
	check_single_values();
	check_quantiles();
	check_arrivals();
	return failures > 0;
}
