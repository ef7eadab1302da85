/*
 * The cheapest backend for proxies: it answers each request, up to an empty line, with one fixed
 * response.
 *
 * usage: c-canned PORT [close|flight]
 *   close   closes after the first answer, as for "Connection: close"
 *   flight  answers the first bytes with as many as a TLS server's first flight has, and closes
 */
#include "common.h"

#define BUFFER 65536
#define EVENTS 1024
#define DESCRIPTORS (1 << 20)
/* That of TLS 1.3 with a small certificate, and so that of nginx-tls.conf. */
#define FLIGHT 800

static char incoming[BUFFER], outgoing[BUFFER];
/* How much of CR LF CR LF was received last, by file descriptor. */
static unsigned char matched[DESCRIPTORS];
static const char *response;
static int closes, is_flight;

/* Returns how many requests end within the bytes. */
static size_t count_requests(int fd, const char *bytes, ssize_t length) {
	size_t count = 0;
	for (ssize_t i = 0; i < length; i++) {
		unsigned char seen = matched[fd];
		if (bytes[i] == (seen % 2 ? '\n' : '\r')) seen++;
		else seen = bytes[i] == '\r';
		count += seen == 4;
		matched[fd] = seen % 4;
	}
	return count;
}

static void serve(int fd) {
	ssize_t received = recv(fd, incoming, BUFFER, 0);
	if (received < 0 && (errno == EAGAIN || errno == EINTR)) return;
	size_t length = strlen(response), count = 0;
	if (received > 0) count = is_flight ? 1 : count_requests(fd, incoming, received);
	if (count > BUFFER / length) count = BUFFER / length;
	for (size_t i = 0; i < count; i++) memcpy(outgoing + i * length, response, length);
	if (count > 0 && send(fd, outgoing, count * length, MSG_NOSIGNAL) < 0) received = -1;
	if (received <= 0 || (count > 0 && closes)) close(fd);
}

int main(int argc, char **argv) {
	if (argc < 2) {
		fprintf(stderr, "usage: %s PORT [close|flight]\n", argv[0]);
		return 2;
	}
	is_flight = argc == 3 && !strcmp(argv[2], "flight");
	closes = is_flight || (argc == 3 && !strcmp(argv[2], "close"));
	response = closes ? "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 6\r\n\r\nhello\n"
	                  : "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
	static char flight[FLIGHT + 1];
	if (is_flight) response = memset(flight, 'f', FLIGHT);
	int listener = listen_on(atoi(argv[1])), epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0) die("epoll_create1");
	if (epoll_add(epoll, listener, EPOLLIN) < 0) die("epoll_ctl");
	static struct epoll_event events[EVENTS];
	for (;;) {
		int count = epoll_wait(epoll, events, EVENTS, -1);
		if (count < 0 && errno != EINTR) die("epoll_wait");
		for (int i = 0; i < count; i++) {
			int fd = events[i].data.fd;
			if (fd != listener) {
				serve(fd);
				continue;
			}
			int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
			if (client < 0) continue;
			matched[client] = 0;
			if (epoll_add(epoll, client, EPOLLIN) < 0) die("epoll_ctl");
		}
	}
}
