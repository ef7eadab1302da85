/*
 * What the toolchain's Glibc module leaves out: epoll(7), eventfd(2), signalfd(2), accept4(2),
 * prctl(2), ucred (unix(7)).
 *
 * struct epoll_event holds a union with a pointer, which Swift treats as an unsafe type. Its twin
 * below has the same layout and plain integers, so that Swift code may keep it in arrays.
 */
#ifndef CVERYPOLL_H
#define CVERYPOLL_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>

/* glibc shows these only under _GNU_SOURCE, which Swift's importer does not define. */
int accept4(int, struct sockaddr *, socklen_t *, int);

typedef struct {
	uint32_t mask;
	uint64_t token;
} __EPOLL_PACKED cverypoll_event;

_Static_assert(sizeof(cverypoll_event) == sizeof(struct epoll_event), "size");
_Static_assert(offsetof(cverypoll_event, token) == offsetof(struct epoll_event, data), "offset");

typedef struct {
	int32_t pid;
	uint32_t uid;
	uint32_t gid;
} cverypoll_ucred;

/* Named ones import as structs of their own, not as Int; these are plain masks. */
static const uint32_t cverypoll_exclusive = 1u << 28;

static inline int cverypoll_ctl(int epoll, int operation, int fd, cverypoll_event event) {
	return epoll_ctl(epoll, operation, fd, (struct epoll_event *)&event);
}

static inline int cverypoll_wait(int epoll, cverypoll_event *events, int capacity, int timeout) {
	return epoll_wait(epoll, (struct epoll_event *)events, capacity, timeout);
}

static inline int cverypoll_wait2(int epoll, cverypoll_event *events, int capacity,
                                  int64_t seconds, int64_t nanoseconds) {
	struct timespec timeout = {.tv_sec = seconds, .tv_nsec = nanoseconds};
	return epoll_pwait2(epoll, (struct epoll_event *)events, capacity, &timeout, NULL);
}

/* Blocks the signals of the mask (bit n - 1 stands for signal n) and makes a signalfd of them. */
static inline int cverypoll_signalfd(uint64_t mask) {
	sigset_t set;
	sigemptyset(&set);
	for (int number = 1; number <= 64; number++)
		if (mask & (1ull << (number - 1))) sigaddset(&set, number);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0) return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* A clock in nanoseconds; the importer has two minds about the home of struct timespec. */
static inline uint64_t cverypoll_clock(clockid_t clock) {
	struct timespec now = {0};
	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* As pthread_setname_np(3), which is GNU's. */
static inline void cverypoll_name_thread(const char *name) {
	prctl(PR_SET_NAME, name);
}

#endif
