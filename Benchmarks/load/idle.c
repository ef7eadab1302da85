/*
 * Idle connections, to measure the server's memory. The sources are spread over 127.0.0.2 to
 * 127.0.0.33.
 *
 * usage: idle PORT CONNECTIONS BYTES
 *   BYTES  how many bytes each connection sends first and waits to get back; 0 for none
 *
 * Prints READY once all connections are open. For each line on its standard input, it prints how
 * many the server has not closed; it holds them until the input ends.
 */
#include "../peers/c/common.h"

static char buffer[65536];

static int open_one(int index, int port, int length) {
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, received = 0;
	if (fd < 0) die("socket");
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
	struct timeval longest = {5, 0};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest);
	/* A reset avoids TIME-WAIT. */
	struct linger linger = {1, 0};
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	struct sockaddr_in source = {.sin_family = AF_INET}, server = {.sin_family = AF_INET};
	source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (unsigned)index % 32);
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server.sin_port = htons((uint16_t)port);
	if (bind(fd, (struct sockaddr *)&source, sizeof source) < 0) die("bind");
	int failed = connect(fd, (struct sockaddr *)&server, sizeof server) < 0;
	failed = failed || send(fd, buffer, (size_t)length, MSG_NOSIGNAL) != length;
	while (!failed && received < length) {
		ssize_t more = recv(fd, buffer, sizeof buffer, 0);
		received += (int)more;
		failed = more <= 0;
	}
	if (!failed) return fd;
	close(fd);
	return -1;
}

static int is_open(int fd) {
	return recv(fd, buffer, sizeof buffer, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

int main(int argc, char **argv) {
	if (argc != 4 || (size_t)atoi(argv[3]) > sizeof buffer) {
		fprintf(stderr, "usage: %s PORT CONNECTIONS BYTES\n", argv[0]);
		return 2;
	}
	int wanted = atoi(argv[2]), opened = 0, held = 0;
	int *descriptors = calloc((size_t)wanted, sizeof *descriptors);
	if (!descriptors) die("calloc");
	/* A full server may let each further connection wait, so give up after three failures. */
	for (int i = 0, failures = 0; i < wanted && failures < 3; i++) {
		descriptors[opened] = open_one(i, atoi(argv[1]), atoi(argv[3]));
		if (descriptors[opened] >= 0) opened++;
		else failures++;
	}
	printf("READY\n");
	fflush(stdout);
	char byte;
	if (read(0, &byte, 1) != 1) return 1;
	for (int i = 0; i < opened; i++) held += is_open(descriptors[i]);
	printf("%d\n", held);
	fflush(stdout);
	while (read(0, &byte, 1) > 0) {}
	return 0;
}
