/*
 * The load for a proxy that routes by the TLS server name: a number of concurrent clients, each of
 * which connects, sends a ClientHello for shop.example.com, waits until the server has closed, and
 * connects again. The latency of a connection includes all of that. The server must close first, so
 * that TIME-WAIT does not use up the ephemeral ports of the load or the proxy.
 *
 * usage: handshakes PORT[,PORT...] SECONDS CONNECTIONS SLICE_MS full|hello
 *   full   completes a handshake of TLS 1.3 without resumption, and sends close_notify in the same
 *          segment as the last message; does not verify the certificate
 *   hello  always sends the same ClientHello, and accepts any answer
 */
#include "load.h"
#include <openssl/err.h>
#include <openssl/ssl.h>

#define SERVER_NAME "shop.example.com"
#define MAX_DESCRIPTORS 65536

struct client {
	uint64_t begun;
	SSL *ssl; /* From the time when it is connected, unless only the ClientHello is sent. */
	int is_connected;
	/* The handshake is complete, or the answer to the ClientHello has begun. */
	int is_answered;
};

static struct client clients[MAX_DESCRIPTORS]; /* By file descriptor. */
static int epoll, live, at_a_time, is_full;
static uint64_t slice_length;
static SSL_CTX *context;
static char hello[4096], incoming[1 << 16];
static int hello_length;

static void die_of_tls(const char *what) {
	fprintf(stderr, "%s:\n", what);
	ERR_print_errors_fp(stderr);
	exit(1);
}

static SSL *new_session(void) {
	SSL *ssl = SSL_new(context);
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	if (!ssl || !in || !out || !SSL_set_tlsext_host_name(ssl, SERVER_NAME)) die_of_tls("SSL_new");
	/* An empty input is not its end. */
	BIO_set_mem_eof_return(in, -1);
	SSL_set_bio(ssl, in, out);
	SSL_set_connect_state(ssl);
	return ssl;
}

static void set_up_tls(void) {
	context = SSL_CTX_new(TLS_client_method());
	if (!context || !SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION)) die_of_tls("SSL_CTX");
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL *ssl = new_session();
	SSL_do_handshake(ssl);
	hello_length = BIO_read(SSL_get_wbio(ssl), hello, sizeof hello);
	if (hello_length <= 0 || hello_length == sizeof hello) die_of_tls("ClientHello");
	SSL_free(ssl);
}

static int sends(int fd, const char *bytes, int length) {
	/* An empty socket has room for these few bytes. */
	return send(fd, bytes, (size_t)length, MSG_NOSIGNAL) == length;
}

/* Continues the handshake, and returns whether that succeeded. */
static int shakes_hands(struct client *client, int fd) {
	ERR_clear_error();
	int result = SSL_do_handshake(client->ssl);
	if (result != 1 && SSL_get_error(client->ssl, result) != SSL_ERROR_WANT_READ) return 0;
	if (result == 1) {
		client->is_answered = 1;
		SSL_shutdown(client->ssl);
	}
	char *bytes;
	long length = BIO_get_mem_data(SSL_get_wbio(client->ssl), &bytes);
	int is_sent = length == 0 || sends(fd, bytes, (int)length);
	(void)BIO_reset(SSL_get_wbio(client->ssl));
	return is_sent;
}

static void finish(struct target *target, int fd, int is_good) {
	struct client *client = &clients[fd];
	if (is_good) histogram_add(&target->latencies, nanoseconds(CLOCK_MONOTONIC) - client->begun);
	else target->errors++;
	SSL_free(client->ssl);
	close(fd);
	live--;
}

/* Returns whether the client continues; otherwise, it is finished. */
static int begins(struct target *target, int fd) {
	struct client *client = &clients[fd];
	client->is_connected = 1;
	if (is_full) client->ssl = new_session();
	if (is_full ? shakes_hands(client, fd) : sends(fd, hello, hello_length)) return 1;
	finish(target, fd, 0);
	return 0;
}

static void receive(struct target *target, int fd) {
	struct client *client = &clients[fd];
	for (;;) {
		ssize_t received = recv(fd, incoming, sizeof incoming, 0);
		if (received < 0 && errno == EAGAIN) return;
		if (received <= 0) {
			finish(target, fd, received == 0 && client->is_answered);
			return;
		}
		if (!is_full) client->is_answered = 1;
		/* The server's session tickets and its close_notify are of no use. */
		if (client->is_answered) continue;
		BIO_write(SSL_get_rbio(client->ssl), incoming, (int)received);
		if (!shakes_hands(client, fd)) {
			finish(target, fd, 0);
			return;
		}
	}
}

static void open_one(struct target *target) {
	uint64_t now = nanoseconds(CLOCK_MONOTONIC);
	int fd = socket_of_next_source();
	if (fd >= MAX_DESCRIPTORS) die("too many descriptors");
	clients[fd] = (struct client){.begun = now};
	live++;
	if (fails_to_connect(fd, target->port)) {
		finish(target, fd, 0);
		return;
	}
	if (epoll_add(epoll, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET) < 0) die("epoll_ctl");
}

static void slice(int index, uint64_t begin) {
	static struct epoll_event events[1024];
	struct target *target = &targets[index];
	uint64_t end = begin + slice_length;
	int waits = 0;
	while (live || nanoseconds(CLOCK_MONOTONIC) < end) {
		for (int tries = 0; live < at_a_time && tries < at_a_time; tries++) {
			if (nanoseconds(CLOCK_MONOTONIC) >= end) break;
			open_one(target);
		}
		int count = epoll_wait(epoll, events, 1024, 100);
		waits = count == 0 ? waits + 1 : 0;
		if (waits == 20) {
			fprintf(stderr, "port %d: %d connections do not end\n", target->port, live);
			exit(1);
		}
		for (int i = 0; i < count; i++) {
			int fd = events[i].data.fd;
			if (clients[fd].is_connected || begins(target, fd)) receive(target, fd);
		}
	}
}

int main(int argc, char **argv) {
	if (argc != 6 || (strcmp(argv[5], "full") && strcmp(argv[5], "hello"))) {
		fprintf(stderr, "usage: %s PORT[,PORT...] SECONDS CONNECTIONS SLICE_MS full|hello\n",
		        argv[0]);
		return 2;
	}
	parse_ports(argv[1]);
	at_a_time = atoi(argv[3]);
	slice_length = (uint64_t)atoi(argv[4]) * 1000000u;
	is_full = !strcmp(argv[5], "full");
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0) die("epoll_create1");
	set_up_tls();
	run_slices(atof(argv[2]), slice);
	return 0;
}
