/*
 * Echo using only epoll: the least that readiness costs one thread, the lower bound for the others.
 *
 * A short read means drained: the socket was empty, and later bytes raise a new edge.
 */
#include "common.h"

#define BUFFER 16384
#define EVENTS 1024

/* The bytes that a socket did not accept, by file descriptor. */
struct connection {
	char *unsent;
	size_t offset, length;
};

static struct connection *connections;
static int room;
static char buffer[BUFFER];

static void finish(int fd) {
	free(connections[fd].unsent);
	connections[fd].unsent = NULL;
	close(fd);
}

/* Returns how many of the bytes the socket accepted, or -1 if it failed. */
static ssize_t send_all(int fd, const char *bytes, size_t length) {
	size_t sent = 0;
	while (sent < length) {
		ssize_t taken = send(fd, bytes + sent, length - sent, MSG_NOSIGNAL);
		if (taken >= 0) {
			sent += (size_t)taken;
		} else if (errno == EAGAIN) {
			break;
		} else if (errno != EINTR) {
			return -1;
		}
	}
	return (ssize_t)sent;
}

static void keep(struct connection *connection, const char *bytes, size_t length) {
	connection->unsent = malloc(length);
	if (!connection->unsent) die("malloc");
	memcpy(connection->unsent, bytes, length);
	connection->offset = 0;
	connection->length = length;
}

static void serve(int fd, uint32_t events) {
	struct connection *connection = &connections[fd];
	if (connection->unsent) {
		size_t left = connection->length - connection->offset;
		ssize_t sent = send_all(fd, connection->unsent + connection->offset, left);
		if (sent < 0) {
			finish(fd);
			return;
		}
		connection->offset += (size_t)sent;
		if ((size_t)sent < left) return;
		free(connection->unsent);
		connection->unsent = NULL;
	} else if (!(events & ~(uint32_t)EPOLLOUT)) {
		return; /* The first edge tells that it is writable. */
	}
	for (;;) {
		ssize_t received = recv(fd, buffer, BUFFER, 0);
		if (received < 0 && errno == EAGAIN) return;
		if (received < 0 && errno == EINTR) continue;
		ssize_t sent = received > 0 ? send_all(fd, buffer, (size_t)received) : -1;
		if (sent < 0) {
			finish(fd);
			return;
		}
		if (sent < received) {
			keep(connection, buffer + sent, (size_t)(received - sent));
			return;
		}
		/* An end of file that came with the data raises no further edge. */
		if (received < BUFFER && !(events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))) return;
	}
}

static void accept_all(int listener, int epoll) {
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EAGAIN) return;
			if (errno == EINTR || errno == ECONNABORTED) continue;
			die("accept4");
		}
		if (fd >= room) {
			int more = fd + 1024;
			connections = realloc(connections, (size_t)more * sizeof *connections);
			if (!connections) die("realloc");
			memset(connections + room, 0, (size_t)(more - room) * sizeof *connections);
			room = more;
		}
		if (epoll_add(epoll, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET) < 0) die("epoll_ctl");
	}
}

int main(int argc, char **argv) {
	int listener = listen_on(port_of(argc, argv)), epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0) die("epoll_create1");
	if (epoll_add(epoll, listener, EPOLLIN | EPOLLET) < 0) die("epoll_ctl");
	static struct epoll_event events[EVENTS];
	for (;;) {
		int count = epoll_wait(epoll, events, EVENTS, -1);
		if (count < 0 && errno != EINTR) die("epoll_wait");
		for (int i = 0; i < count; i++) {
			int fd = events[i].data.fd;
			if (fd == listener) accept_all(listener, epoll);
			else serve(fd, events[i].events);
		}
	}
}
