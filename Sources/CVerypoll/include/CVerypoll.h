/*
 * Declarations missing from the toolchain's Glibc module: epoll(7), ppoll(2), eventfd(2),
 * signalfd(2), timerfd_create(2), pidfd_open(2), accept4(2), pipe2(2), splice(2), prctl(2),
 * pwritev2(2), ucred (unix(7)), sockaddr_vm (vsock(7)).
 *
 * struct epoll_event contains a union with a pointer, so Swift treats it as an unsafe type.
 * cverypoll_event has the same layout with plain integers, so Swift code can keep it in arrays.
 */
#ifndef CVERYPOLL_H
#define CVERYPOLL_H

#ifndef __linux__
#error "Verypoll requires Linux: it uses epoll(7), signalfd(2), timerfd_create(2), pidfd_open(2)"
#endif

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* glibc declares these only under _GNU_SOURCE, which Swift's importer does not define. */
int pipe2(int[2], int);
ssize_t pwritev2(int, const struct iovec *, int, off_t, int);
long syscall(long, ...);
int ppoll(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);

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

/* struct sockaddr_vm of linux/vm_sockets.h, which C libraries do not have. */
typedef struct {
	sa_family_t family;
	uint16_t reserved;
	uint32_t port;
	uint32_t cid;
	uint8_t flags;
	uint8_t zero[3];
} cverypoll_vsock_address;

_Static_assert(sizeof(cverypoll_vsock_address) == sizeof(struct sockaddr), "size");

/*
 * The system calls of the hot path, without glibc's cancellation points: in a process with threads,
 * glibc turns asynchronous cancellation on and off around each such call. No thread of a Swift
 * program is canceled; see pthreads(7), "Cancellation points".
 */
static inline ssize_t cverypoll_recv(int fd, void *buffer, size_t room, int flags) {
	return syscall(SYS_recvfrom, (long)fd, buffer, room, (long)flags, NULL, NULL);
}

static inline ssize_t cverypoll_send(int fd, const void *bytes, size_t count, int flags) {
	return syscall(SYS_sendto, (long)fd, bytes, count, (long)flags, NULL, 0L);
}

static inline int cverypoll_accept(int fd, struct sockaddr *peer, socklen_t *length, int flags) {
	return (int)syscall(SYS_accept4, (long)fd, peer, length, (long)flags);
}

static inline int cverypoll_connect(int fd, const struct sockaddr *address, socklen_t length) {
	return (int)syscall(SYS_connect, (long)fd, address, (long)length);
}

static inline int cverypoll_close(int fd) {
	return (int)syscall(SYS_close, (long)fd);
}

static inline ssize_t cverypoll_splice(int source, int destination, size_t count) {
	const long flags = 1 | 2; /* SPLICE_F_MOVE, SPLICE_F_NONBLOCK */
	return syscall(SYS_splice, (long)source, NULL, (long)destination, NULL, count, flags);
}

/* The C enum's constants are imported into Swift as structs; this one is a plain mask. */
static const uint32_t cverypoll_exclusive = 1u << 28;

/* fcntl.h defines it only under _GNU_SOURCE. */
static const int cverypoll_setpipe_size = 1031; /* F_SETPIPE_SZ */

static inline int cverypoll_ctl(int epoll, int operation, int fd, cverypoll_event event) {
	return epoll_ctl(epoll, operation, fd, (struct epoll_event *)&event);
}

static inline int cverypoll_wait(int epoll, cverypoll_event *events, int capacity, int timeout) {
	const long room = capacity, milliseconds = timeout;
#ifdef SYS_epoll_wait
	return (int)syscall(SYS_epoll_wait, (long)epoll, events, room, milliseconds);
#else /* Newer architectures have only epoll_pwait, which is the same without a mask. */
	return (int)syscall(SYS_epoll_pwait, (long)epoll, events, room, milliseconds, NULL, 0L);
#endif
}

/* Uses the layout of the kernel's 64-bit struct timespec; that of the headers may differ. */
static inline int cverypoll_wait2(int epoll, cverypoll_event *events, int capacity,
                                  int64_t seconds, int64_t nanoseconds) {
	const int64_t timeout[2] = {seconds, nanoseconds};
	return (int)syscall(SYS_epoll_pwait2, (long)epoll, events, (long)capacity, timeout, NULL, 0L);
}

/* Waits forever if the seconds are negative. */
static inline int cverypoll_poll(struct pollfd *entries, nfds_t count, int64_t seconds,
                                 int64_t nanoseconds) {
	struct timespec timeout = {.tv_sec = seconds, .tv_nsec = nanoseconds};
	return ppoll(entries, count, seconds < 0 ? NULL : &timeout, NULL);
}

/* Blocks the signals of the mask (bit n - 1 is signal n) and creates a signalfd for them. */
static inline int cverypoll_signalfd(uint64_t mask) {
	sigset_t set;
	sigemptyset(&set);
	for (int number = 1; number <= 64; number++)
		if (mask & (1ull << (number - 1))) sigaddset(&set, number);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0) return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Unblocks all signals in the calling thread; async-signal-safe. */
static inline void cverypoll_unblock_signals(void) {
	sigset_t none;
	sigemptyset(&none);
	pthread_sigmask(SIG_SETMASK, &none, NULL);
}

/* Missing from the headers of Debian 12; see unix(7) and pwritev2(2). */
static const int cverypoll_passrights = 83; /* SO_PASSRIGHTS, Linux 6.16 */
static const int cverypoll_peerpidfd = 77;  /* SO_PEERPIDFD, Linux 6.5 */
static const int cverypoll_nosignal = 0x100; /* RWF_NOSIGNAL, Linux 6.18 */

typedef struct {
	uint32_t busy_poll_usecs;
	uint16_t busy_poll_budget;
	uint8_t prefer_busy_poll;
	uint8_t pad;
} cverypoll_busy_poll;

static inline int cverypoll_set_busy_poll(int epoll, cverypoll_busy_poll parameters) {
	return ioctl(epoll, _IOW(0x8A, 0x01, cverypoll_busy_poll), &parameters);
}

static inline int cverypoll_get_busy_poll(int epoll, cverypoll_busy_poll *parameters) {
	return ioctl(epoll, _IOR(0x8A, 0x02, cverypoll_busy_poll), parameters);
}

/* writev(2) that blocks and discards SIGPIPE, for kernels without RWF_NOSIGNAL. */
static inline ssize_t cverypoll_writev_masked(int fd, const struct iovec *parts, int count) {
	sigset_t broken, pending, before;
	sigemptyset(&broken);
	sigaddset(&broken, SIGPIPE);
	sigemptyset(&pending);
	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, &broken, &before);
	ssize_t written = writev(fd, parts, count);
	int error = errno;
	/* Do not consume a SIGPIPE that was pending before the call. */
	if (written == -1 && error == EPIPE && !sigismember(&pending, SIGPIPE)) {
		struct timespec now = {0};
		while (sigtimedwait(&broken, NULL, &now) == -1 && errno == EINTR) {}
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return written;
}

/*
 * A file in memory that can be sealed: once sealed, its contents, size and seals cannot change.
 * See memfd_create(2) and F_ADD_SEALS in fcntl(2); the headers require _GNU_SOURCE for both.
 */
static inline int cverypoll_memfd(const char *name) {
	return (int)syscall(SYS_memfd_create, name, 3u /* MFD_CLOEXEC | MFD_ALLOW_SEALING */);
}

static inline int cverypoll_seal(int fd) {
	return fcntl(fd, 1033 /* F_ADD_SEALS */, 15 /* F_SEAL_SEAL, _SHRINK, _GROW and _WRITE */);
}

static inline int cverypoll_is_sealed(int fd) {
	int seals = fcntl(fd, 1034 /* F_GET_SEALS */);
	return seals != -1 && (seals & 15) == 15;
}

/* The toolchain's glibc may lack this call, and so may the kernel. */
static inline int cverypoll_close_range(unsigned first, unsigned last) {
	return (int)syscall(436 /* SYS_close_range */, first, last, 0);
}

/* Stores how many bytes a TCP socket has not sent yet; SIOCOUTQNSD in linux/sockios.h. */
static inline int cverypoll_unsent(int fd, int *count) {
	return ioctl(fd, 0x894B, count);
}

/* Starts a timerfd, or stops it if the first time is 0; see timerfd_settime(2). */
static inline int cverypoll_settime(int timer, int64_t seconds, int64_t nanoseconds,
                                    int64_t interval_seconds, int64_t interval_nanoseconds) {
	struct itimerspec spec = {
		.it_value = {.tv_sec = seconds, .tv_nsec = nanoseconds},
		.it_interval = {.tv_sec = interval_seconds, .tv_nsec = interval_nanoseconds},
	};
	return timerfd_settime(timer, 0, &spec, NULL);
}

static inline int64_t cverypoll_gettime(int timer) {
	struct itimerspec spec;
	if (timerfd_gettime(timer, &spec) == -1) return -1;
	return (int64_t)spec.it_value.tv_sec * 1000000000 + spec.it_value.tv_nsec;
}

/* The toolchain's glibc may lack these calls. */
static inline int cverypoll_pidfd_open(pid_t process) {
	return (int)syscall(SYS_pidfd_open, process, 0);
}

static inline int cverypoll_pidfd_send_signal(int process, int signal) {
	return (int)syscall(SYS_pidfd_send_signal, process, signal, NULL, 0);
}

/* waitid(2) on a pidfd without waiting. `code` is 0 if the child still runs, otherwise CLD_*. */
static inline int cverypoll_pidfd_wait(int process, int *code, int *status) {
	siginfo_t info = {0};
	if (waitid((idtype_t)3 /* P_PIDFD */, (id_t)process, &info, WEXITED | WNOHANG) == -1) return -1;
	*code = info.si_pid == 0 ? 0 : info.si_code;
	*status = info.si_status;
	return 0;
}

/* Returns how many processors the process may run on, or 0 if that is unknown. */
int cverypoll_allowed_processors(void);

/*
 * Returns a clock's time in nanoseconds. In C, because Swift's importer is inconsistent about the
 * module that struct timespec belongs to.
 */
static inline uint64_t cverypoll_clock(clockid_t clock) {
	struct timespec now = {0};
	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Names the calling thread, like pthread_setname_np(3), which is a GNU extension. */
static inline void cverypoll_name_thread(const char *name) {
	prctl(PR_SET_NAME, name);
}

#endif
