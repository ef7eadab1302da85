/* Accepts connections and closes them at once, with libuv. */
#include "common.h"

static void on_connection(uv_stream_t *listener, int status) {
	if (status < 0) return;
	uv_tcp_t *connection = malloc(sizeof *connection);
	uv_tcp_init(listener->loop, connection);
	uv_accept(listener, (uv_stream_t *)connection);
	uv_close((uv_handle_t *)connection, on_close);
}

int main(int argc, char **argv) {
	return serve(argc, argv, on_connection);
}
