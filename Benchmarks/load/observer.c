/*
 * What a browser with the status page and Prometheus ask of a daemon: the page once, and then, each
 * second, its data and the metrics, half a second apart. Unlike a browser, it uses almost no time
 * of the machine, so it shows what the answers cost the daemon.
 *
 * usage: observer ADDRESS PORT
 */
#include "../peers/c/common.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static char buffer[1 << 20];

/* Gets a document; fails unless the answer is 200 and ends. */
static void get(const struct sockaddr_in *server, const char *path) {
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)server, sizeof *server) < 0) die("connect");
	char request[256];
	int length = snprintf(request, sizeof request,
	                      "GET %s HTTP/1.1\r\nHost: observer\r\nConnection: close\r\n\r\n", path);
	if (send(fd, request, (size_t)length, MSG_NOSIGNAL) != length) die("send");
	size_t used = 0;
	ssize_t count;
	while ((count = recv(fd, buffer + used, sizeof buffer - used, 0)) > 0) used += (size_t)count;
	if (count < 0) die("recv");
	if (used < 12 || memcmp(buffer, "HTTP/1.1 200", 12) != 0) {
		fprintf(stderr, "%s: the answer is not 200\n", path);
		exit(1);
	}
	close(fd);
}

int main(int count, char **arguments) {
	struct sockaddr_in server = {.sin_family = AF_INET};
	if (count != 3 || inet_pton(AF_INET, arguments[1], &server.sin_addr) != 1) {
		fprintf(stderr, "usage: %s ADDRESS PORT\n", arguments[0]);
		return 2;
	}
	server.sin_port = htons((uint16_t)atoi(arguments[2]));
	get(&server, "/");
	struct timespec next;
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (int turn = 0;; turn++) {
		next.tv_nsec += 500000000;
		if (next.tv_nsec >= 1000000000) next.tv_sec++, next.tv_nsec -= 1000000000;
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) != 0) continue;
		get(&server, turn % 2 == 0 ? "/status.json" : "/metrics");
	}
}
