/* The common part of both libuv peers: they listen on 127.0.0.1 and run the loop. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

static int serve(int argc, char **argv, uv_connection_cb on_connection) {
	if (argc != 2) {
		fprintf(stderr, "usage: %s PORT\n", argv[0]);
		return 2;
	}
	uv_loop_t *loop = uv_default_loop();
	uv_tcp_t listener;
	struct sockaddr_in address;
	uv_tcp_init(loop, &listener);
	uv_ip4_addr("127.0.0.1", atoi(argv[1]), &address);
	int error = uv_tcp_bind(&listener, (struct sockaddr *)&address, 0);
	if (!error) error = uv_listen((uv_stream_t *)&listener, 4096, on_connection);
	if (error) {
		fprintf(stderr, "%s\n", uv_strerror(error));
		return 1;
	}
	return uv_run(loop, UV_RUN_DEFAULT);
}

static void on_close(uv_handle_t *handle) {
	free(handle);
}
