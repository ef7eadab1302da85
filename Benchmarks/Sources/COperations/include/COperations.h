/*
 * The operations of Sources/operations in plain C, with the same system calls.
 *
 * Each function performs its operation the given number of times.
 */
#ifndef COPERATIONS_H
#define COPERATIONS_H
#include <stdint.h>

void c_poll(long count);
void c_register(long count);
void c_wake(long count);
void c_wake_thread(long count);
void c_start_timer(long count);
void c_run_timer(long count);
void c_pass_stream(long count);
void c_pass_datagram(long count);
void c_ask_thread(long count);

/* The CPU time that the process has used, in nanoseconds. */
uint64_t c_cpu_time(void);

#endif
