/* The common part of the C peers and the loads: the port, and a listening socket on 127.0.0.1. */
#ifndef COMMON_H
#define COMMON_H
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void die(const char *what) {
	perror(what);
	exit(1);
}

/* Returns the port, which is the only argument. */
static inline int port_of(int argc, char **argv) {
	if (argc == 2) return atoi(argv[1]);
	fprintf(stderr, "usage: %s PORT\n", argv[0]);
	exit(2);
}

static inline int listen_on(int port) {
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
	if (fd < 0) die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	/* Accepted sockets inherit the option, which saves a call for each. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) die("bind");
	if (listen(fd, 4096) < 0) die("listen");
	return fd;
}

static inline int epoll_add(int epoll, int fd, uint32_t events) {
	struct epoll_event event = {.events = events, .data.fd = fd};
	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}
#endif
