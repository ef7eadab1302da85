#define _GNU_SOURCE
#include "CTestSupport.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int number(enum ctest_call call) {
	switch (call) {
	/* Newer architectures lack epoll_wait(2); epoll_wait(3) uses epoll_pwait(2) there. */
#ifdef SYS_epoll_wait
	case CTEST_EPOLL_WAIT: return SYS_epoll_wait;
#else
	case CTEST_EPOLL_WAIT: return SYS_epoll_pwait;
#endif
	case CTEST_EPOLL_PWAIT2: return SYS_epoll_pwait2;
	case CTEST_PWRITEV2: return SYS_pwritev2;
	}
	return -1;
}

int ctest_deny(enum ctest_call call, int error) {
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number(call), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ((unsigned)error & SECCOMP_RET_DATA)),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1) return -1;
	/* TSYNC: the filter applies to threads that already run, too. */
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
}

int ctest_probe(enum ctest_call call) {
	errno = 0;
	/* -1 is never an open descriptor, so a call that the kernel has fails without an effect. */
	long result = syscall(number(call), -1L, NULL, 0L, 0L, 0L, 0L);
	return result == -1 ? errno : 0;
}

int ctest_connect_and_end(const char *path) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	strncpy(address.sun_path, path, sizeof address.sun_path - 1);
	int process = fork();
	if (process != 0) return process;
	int client = socket(AF_UNIX, SOCK_STREAM, 0);
	_exit(connect(client, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : 1);
}

int ctest_become_nobody(void) {
	if (geteuid() != 0) return 0;
	return setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0 ? 0 : -1;
}

int ctest_stop_thread(int thread) {
	if (ptrace(PTRACE_SEIZE, thread, NULL, NULL) == -1) return -1;
	if (ptrace(PTRACE_INTERRUPT, thread, NULL, NULL) == -1) return -1;
	return waitpid(thread, NULL, __WALL) == thread ? 0 : -1;
}

int ctest_resume_thread(int thread) {
	return ptrace(PTRACE_DETACH, thread, NULL, NULL) == -1 ? -1 : 0;
}
