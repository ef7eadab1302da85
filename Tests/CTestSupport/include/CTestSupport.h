/*
 * Kernels other than the one at hand, for tests: system calls that are missing, and a process that
 * connects and is gone. To be called in an exit test's process only, which it changes for good,
 * unless they say otherwise.
 */
#ifndef CTESTSUPPORT_H
#define CTESTSUPPORT_H

#include <stddef.h>
#include <stdint.h>

/* System calls whose absence a test acts out. */
enum ctest_call { CTEST_EPOLL_WAIT, CTEST_EPOLL_PWAIT2, CTEST_PWRITEV2 };

/* Makes a system call of the whole process fail with an error; 0, or -1 and errno. */
int ctest_deny(enum ctest_call call, int error);

/* Makes the call with arguments that do nothing, and returns the errno, or 0. */
int ctest_probe(enum ctest_call call);

/* Starts a process that connects to a Unix-domain socket and ends; -1, or its number. */
int ctest_connect_and_end(const char *path);

/* Gives up being root for good: user and group become 65534; 0, or -1 and errno. */
int ctest_become_nobody(void);

/*
 * Stops one thread of another process where it is, or lets it go on; 0, or -1 and errno. Both are to
 * be called by the same thread, whose end lets it go on as well; the process's other threads and
 * this one are not changed.
 */
int ctest_stop_thread(int thread);
int ctest_resume_thread(int thread);

#endif
