/*
 * Counts the allocations and retains of a program; load it with LD_PRELOAD.
 *
 * The file named by COUNTS holds two 64-bit numbers, which grow with each call of malloc(3) and its
 * relatives, and of Swift's retain. The process that started the program reads them while it runs.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static uint64_t early[2], *counts = early;
static void *(*next_retain)(void *), *(*next_bridge)(void *);

__attribute__((constructor)) static void begin(void) {
	int fd = open(getenv("COUNTS"), O_RDWR | O_CLOEXEC);
	void *shared = mmap(0, 16, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED) abort();
	counts = shared;
	close(fd);
}

static void count(int which) {
	__atomic_fetch_add(&counts[which], 1, __ATOMIC_RELAXED);
}

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);

void *malloc(size_t size) {
	count(0);
	return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
	count(0);
	return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) {
	count(0);
	return __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
	count(0);
	return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
	*memory = aligned_alloc(alignment, size);
	return *memory ? 0 : ENOMEM;
}

void *swift_retain(void *object) {
	if (!next_retain) next_retain = dlsym(RTLD_NEXT, "swift_retain");
	count(1);
	return next_retain(object);
}

void *swift_bridgeObjectRetain(void *object) {
	if (!next_bridge) next_bridge = dlsym(RTLD_NEXT, "swift_bridgeObjectRetain");
	count(1);
	return next_bridge(object);
}
