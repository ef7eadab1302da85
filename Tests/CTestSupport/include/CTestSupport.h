/*
 * Simulates kernels that lack system calls, and processes that connect and exit, for tests. Call
 * those that change this process in an exit test only, as the change is permanent.
 */
#ifndef CTESTSUPPORT_H
#define CTESTSUPPORT_H

#include <stddef.h>
#include <stdint.h>

/* System calls that a test can make fail. */
enum ctest_call { CTEST_EPOLL_WAIT, CTEST_EPOLL_PWAIT2, CTEST_PWRITEV2 };

/* Makes a system call fail with `error` in the whole process; returns 0, or -1 and errno. */
int ctest_deny(enum ctest_call call, int error);

/* Makes the call with arguments that have no effect; returns its errno, or 0. */
int ctest_probe(enum ctest_call call);

/* Starts a process that connects to a Unix-domain socket and exits; returns its PID, or -1. */
int ctest_connect_and_end(const char *path);

/* Drops root permanently: user and group become 65534; returns 0, or -1 and errno. */
int ctest_become_nobody(void);

/*
 * Stops one thread of another process, or resumes it; returns 0, or -1 and errno. The same thread
 * must call both functions; the stopped thread also resumes when the calling thread exits. No other
 * thread of the process is affected.
 */
int ctest_stop_thread(int thread);
int ctest_resume_thread(int thread);

#endif
