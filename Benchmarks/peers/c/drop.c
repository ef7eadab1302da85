/* Accepts connections and closes them at once, using only epoll: the lower bound for the others. */
#include "common.h"

int main(int argc, char **argv) {
	int listener = listen_on(port_of(argc, argv)), epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0) die("epoll_create1");
	if (epoll_add(epoll, listener, EPOLLIN | EPOLLET) < 0) die("epoll_ctl");
	struct epoll_event event;
	for (;;) {
		if (epoll_wait(epoll, &event, 1, -1) < 0) {
			if (errno == EINTR) continue;
			die("epoll_wait");
		}
		for (;;) {
			int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
			if (fd >= 0) {
				close(fd);
			} else if (errno == EAGAIN) {
				break;
			} else if (errno != EINTR && errno != ECONNABORTED) {
				die("accept4");
			}
		}
	}
}
