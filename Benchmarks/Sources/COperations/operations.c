#define _GNU_SOURCE
#include "COperations.h"
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define BYTES 64
#define EVENTS 16

/* Returns the result of a call that must succeed. */
static ssize_t must(ssize_t result) {
	if (result >= 0) return result;
	perror("operations");
	abort();
}

static int make_epoll(void) {
	return (int)must(epoll_create1(EPOLL_CLOEXEC));
}

static void control(int epoll, int operation, int fd, uint32_t mask) {
	struct epoll_event event = {.events = mask, .data.u64 = 1};
	must(epoll_ctl(epoll, operation, fd, &event));
}

static void add(int epoll, int fd) {
	control(epoll, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLRDHUP | EPOLLET);
}

static void expect_one(int epoll, int timeout) {
	struct epoll_event events[EVENTS];
	if (must(epoll_wait(epoll, events, EVENTS, timeout)) != 1) abort();
}

void c_poll(long count) {
	struct epoll_event events[EVENTS];
	int epoll = make_epoll();
	while (count-- > 0)
		if (must(epoll_wait(epoll, events, EVENTS, 0)) != 0) abort();
	close(epoll);
}

void c_register(long count) {
	int epoll = make_epoll(), pair[2];
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair));
	while (count-- > 0) {
		control(epoll, EPOLL_CTL_ADD, pair[0], EPOLLIN | EPOLLRDHUP | EPOLLET);
		control(epoll, EPOLL_CTL_MOD, pair[0], EPOLLIN | EPOLLRDHUP | EPOLLOUT | EPOLLET);
		control(epoll, EPOLL_CTL_DEL, pair[0], 0);
	}
	close(pair[0]);
	close(pair[1]);
	close(epoll);
}

static int make_waker(int epoll) {
	int waker = (int)must(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	add(epoll, waker);
	return waker;
}

static void wake(int waker) {
	uint64_t one = 1;
	must(write(waker, &one, sizeof one));
}

void c_wake(long count) {
	int epoll = make_epoll(), waker = make_waker(epoll);
	while (count-- > 0) {
		wake(waker);
		expect_one(epoll, -1);
	}
	close(waker);
	close(epoll);
}

struct answerer {
	int epoll, asked, asking;
	long count;
};

static void *answer(void *argument) {
	struct answerer *answerer = argument;
	for (long i = 0; i < answerer->count; i++) {
		expect_one(answerer->epoll, -1);
		wake(answerer->asking);
	}
	return NULL;
}

void c_wake_thread(long count) {
	int epoll = make_epoll(), other = make_epoll();
	struct answerer answerer = {other, make_waker(other), make_waker(epoll), count};
	pthread_t thread;
	must(-pthread_create(&thread, NULL, answer, &answerer));
	while (count-- > 0) {
		wake(answerer.asked);
		expect_one(epoll, -1);
	}
	pthread_join(thread, NULL);
	close(answerer.asked);
	close(answerer.asking);
	close(other);
	close(epoll);
}

static int make_timer(int epoll) {
	int timer = (int)must(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
	add(epoll, timer);
	return timer;
}

static void set_timer(int timer, time_t seconds, long nanoseconds) {
	struct itimerspec time = {.it_value = {.tv_sec = seconds, .tv_nsec = nanoseconds}};
	must(timerfd_settime(timer, 0, &time, NULL));
}

void c_start_timer(long count) {
	int epoll = make_epoll(), timer = make_timer(epoll);
	while (count-- > 0) {
		set_timer(timer, 60, 0);
		set_timer(timer, 0, 0);
	}
	close(timer);
	close(epoll);
}

void c_run_timer(long count) {
	int epoll = make_epoll(), timer = make_timer(epoll);
	while (count-- > 0) {
		uint64_t expirations;
		set_timer(timer, 0, 1);
		expect_one(epoll, -1);
		must(read(timer, &expirations, sizeof expirations));
	}
	close(timer);
	close(epoll);
}

void c_pass_stream(long count) {
	char bytes[BYTES] = {0};
	int epoll = make_epoll(), pair[2];
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair));
	add(epoll, pair[1]);
	while (count-- > 0) {
		must(send(pair[0], bytes, BYTES, MSG_NOSIGNAL));
		expect_one(epoll, -1);
		must(recv(pair[1], bytes, BYTES, 0));
	}
	close(pair[0]);
	close(pair[1]);
	close(epoll);
}

static int make_datagram_socket(struct sockaddr_in *address) {
	int type = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	int fd = (int)must(socket(AF_INET, type, 0));
	socklen_t length = sizeof *address;
	*address = (struct sockaddr_in){.sin_family = AF_INET};
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(bind(fd, (struct sockaddr *)address, length));
	must(getsockname(fd, (struct sockaddr *)address, &length));
	return fd;
}

void c_pass_datagram(long count) {
	char bytes[BYTES] = {0};
	struct sockaddr_in from, to;
	int epoll = make_epoll();
	int sender = make_datagram_socket(&from), receiver = make_datagram_socket(&to);
	add(epoll, receiver);
	while (count-- > 0) {
		struct sockaddr_storage source;
		socklen_t length = sizeof source;
		must(sendto(sender, bytes, BYTES, MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof to));
		expect_one(epoll, -1);
		must(recvfrom(receiver, bytes, BYTES, MSG_TRUNC, (struct sockaddr *)&source, &length));
	}
	close(sender);
	close(receiver);
	close(epoll);
}

static void receive_byte(int epoll, int fd) {
	char byte;
	expect_one(epoll, -1);
	must(recv(fd, &byte, 1, 0));
}

static void send_byte(int fd) {
	must(send(fd, "", 1, MSG_NOSIGNAL));
}

struct answering {
	int fd;
	long count;
};

static void *answer_bytes(void *argument) {
	struct answering *answering = argument;
	int epoll = make_epoll();
	add(epoll, answering->fd);
	for (long i = 0; i < answering->count; i++) {
		receive_byte(epoll, answering->fd);
		send_byte(answering->fd);
	}
	close(epoll);
	return NULL;
}

void c_ask_thread(long count) {
	int epoll = make_epoll(), pair[2];
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair));
	add(epoll, pair[0]);
	struct answering answering = {pair[1], count};
	pthread_t thread;
	must(-pthread_create(&thread, NULL, answer_bytes, &answering));
	while (count-- > 0) {
		send_byte(pair[0]);
		receive_byte(epoll, pair[0]);
	}
	pthread_join(thread, NULL);
	close(pair[0]);
	close(pair[1]);
	close(epoll);
}

uint64_t c_cpu_time(void) {
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
