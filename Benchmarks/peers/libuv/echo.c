/* Echo with libuv: uv_try_write first, and a uv_write of a copy for the remaining bytes. */
#include "common.h"

#define BUFFER 16384
static char buffer[BUFFER];

struct rest {
	uv_write_t request;
	char bytes[];
};

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *received);

static void on_buffer(uv_handle_t *handle, size_t hint, uv_buf_t *room) {
	(void)handle;
	(void)hint;
	*room = uv_buf_init(buffer, BUFFER);
}

static void finish(uv_stream_t *stream) {
	if (!uv_is_closing((uv_handle_t *)stream)) uv_close((uv_handle_t *)stream, on_close);
}

static void on_written(uv_write_t *request, int status) {
	uv_stream_t *stream = request->handle;
	free(request);
	if (status < 0) finish(stream);
	else if (!uv_is_closing((uv_handle_t *)stream)) uv_read_start(stream, on_buffer, on_read);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *received) {
	if (count == 0) return;
	uv_buf_t bytes = uv_buf_init(received->base, count < 0 ? 0 : (unsigned)count);
	int sent = count < 0 ? (int)count : uv_try_write(stream, &bytes, 1);
	if (sent == UV_EAGAIN) sent = 0;
	if (sent < 0) {
		finish(stream);
		return;
	}
	if (sent == count) return;
	size_t left = (size_t)(count - sent);
	struct rest *rest = malloc(sizeof *rest + left);
	memcpy(rest->bytes, received->base + sent, left);
	bytes = uv_buf_init(rest->bytes, (unsigned)left);
	uv_read_stop(stream);
	if (uv_write(&rest->request, stream, &bytes, 1, on_written) < 0) {
		free(rest);
		finish(stream);
	}
}

static void on_connection(uv_stream_t *listener, int status) {
	if (status < 0) return;
	uv_tcp_t *connection = malloc(sizeof *connection);
	uv_tcp_init(listener->loop, connection);
	if (uv_accept(listener, (uv_stream_t *)connection) == 0) {
		uv_tcp_nodelay(connection, 1);
		uv_read_start((uv_stream_t *)connection, on_buffer, on_read);
	} else {
		uv_close((uv_handle_t *)connection, on_close);
	}
}

int main(int argc, char **argv) {
	return serve(argc, argv, on_connection);
}
