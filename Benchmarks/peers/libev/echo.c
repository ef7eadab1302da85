/* Echo with libev, which is level-triggered. */
#include "../c/common.h"
#include <ev.h>

#define BUFFER 16384
static char buffer[BUFFER];

struct connection {
	ev_io reader, writer;
	char *unsent;
	size_t offset, length;
};

static void finish(struct ev_loop *loop, struct connection *connection) {
	ev_io_stop(loop, &connection->reader);
	ev_io_stop(loop, &connection->writer);
	close(connection->reader.fd);
	free(connection->unsent);
	free(connection);
}

static void on_writable(struct ev_loop *loop, ev_io *writer, int events) {
	(void)events;
	struct connection *connection = writer->data;
	size_t left = connection->length - connection->offset;
	ssize_t sent = send(writer->fd, connection->unsent + connection->offset, left, MSG_NOSIGNAL);
	if (sent < 0) {
		if (errno != EAGAIN && errno != EINTR) finish(loop, connection);
		return;
	}
	connection->offset += (size_t)sent;
	if ((size_t)sent < left) return;
	free(connection->unsent);
	connection->unsent = NULL;
	ev_io_stop(loop, &connection->writer);
	ev_io_start(loop, &connection->reader);
}

static void keep(struct ev_loop *loop, struct connection *connection, ssize_t from, ssize_t to) {
	connection->length = (size_t)(to - from);
	connection->offset = 0;
	connection->unsent = malloc(connection->length);
	if (!connection->unsent) die("malloc");
	memcpy(connection->unsent, buffer + from, connection->length);
	ev_io_stop(loop, &connection->reader);
	ev_io_start(loop, &connection->writer);
}

static void on_readable(struct ev_loop *loop, ev_io *reader, int events) {
	(void)events;
	struct connection *connection = reader->data;
	ssize_t received = recv(reader->fd, buffer, BUFFER, 0), sent = 0;
	if (received < 0 && (errno == EAGAIN || errno == EINTR)) return;
	if (received <= 0) {
		finish(loop, connection);
		return;
	}
	while (sent < received) {
		ssize_t taken = send(reader->fd, buffer + sent, (size_t)(received - sent), MSG_NOSIGNAL);
		if (taken >= 0) {
			sent += taken;
		} else if (errno == EAGAIN) {
			keep(loop, connection, sent, received);
			return;
		} else if (errno != EINTR) {
			finish(loop, connection);
			return;
		}
	}
}

static void on_connection(struct ev_loop *loop, ev_io *listener, int events) {
	(void)events;
	for (;;) {
		int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) return;
		struct connection *connection = calloc(1, sizeof *connection);
		ev_io_init(&connection->reader, on_readable, fd, EV_READ);
		ev_io_init(&connection->writer, on_writable, fd, EV_WRITE);
		connection->reader.data = connection->writer.data = connection;
		ev_io_start(loop, &connection->reader);
	}
}

int main(int argc, char **argv) {
	struct ev_loop *loop = ev_default_loop(EVBACKEND_EPOLL);
	ev_io listener;
	ev_io_init(&listener, on_connection, listen_on(port_of(argc, argv)), EV_READ);
	ev_io_start(loop, &listener);
	ev_run(loop, 0);
	return 0;
}
