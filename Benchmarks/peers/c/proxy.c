/*
 * A proxy using only epoll: the least that forwarding costs one thread, and so the lower bound for
 * the others. Each direction of a session ends by itself.
 *
 * usage: c-proxy PORT BACKEND_PORT copy|splice
 *   copy    receives and sends through one buffer, and keeps bytes that the other side refuses
 *   splice  moves the bytes in the kernel through a pipe, lent to a direction while it holds bytes
 */
#include "common.h"
#include <fcntl.h>
#include <signal.h>

#define BUFFER 65536
#define PIPE_SIZE (1 << 18)
#define EVENTS 512

/* One direction, from one side's socket to the other's. */
struct way {
	int from, to;
	char *unsent;
	uint32_t offset, length; /* Of what is unsent. */
	int pipe[2];
	size_t piped;
	/* If the end of file is known to follow, a short read does not mean drained. */
	char is_ending, has_ended, is_shut;
};

/* epoll's data is the session, with the side in the lowest bit. */
struct session {
	struct way ways[2];
	char is_connected, is_dead;
	struct session *next_dead;
};

static char buffer[BUFFER];
static int epoll, splices;
static int (*pipes)[2], pipe_count, pipe_room;
static struct session *dead;
static struct sockaddr_in backend = {.sin_family = AF_INET};

static void finish(struct session *session) {
	if (session->is_dead) return;
	session->is_dead = 1;
	for (int side = 0; side < 2; side++) {
		struct way *way = &session->ways[side];
		close(way->from);
		free(way->unsent);
		if (way->pipe[0] >= 0) {
			close(way->pipe[0]);
			close(way->pipe[1]);
		}
	}
	/* Later events of the same batch may still refer to it. */
	session->next_dead = dead;
	dead = session;
}

static void free_dead(void) {
	while (dead) {
		struct session *session = dead;
		dead = session->next_dead;
		free(session);
	}
}

static int borrow_pipe(struct way *way) {
	if (pipe_count > 0) {
		memcpy(way->pipe, pipes[--pipe_count], sizeof way->pipe);
		return 0;
	}
	if (pipe2(way->pipe, O_NONBLOCK | O_CLOEXEC) < 0) {
		way->pipe[0] = -1;
		return -1;
	}
	fcntl(way->pipe[1], F_SETPIPE_SZ, PIPE_SIZE);
	return 0;
}

static void return_pipe(struct way *way) {
	if (pipe_count == pipe_room) {
		pipe_room = pipe_room ? pipe_room * 2 : 64;
		pipes = realloc(pipes, (size_t)pipe_room * sizeof *pipes);
		if (!pipes) die("realloc");
	}
	memcpy(pipes[pipe_count++], way->pipe, sizeof way->pipe);
	way->pipe[0] = -1;
}

/* These functions return 1 to continue, 0 to wait for an edge, and -1 if the session is broken. */

static int flush(struct way *way) {
	while (way->unsent) {
		size_t left = way->length - way->offset;
		ssize_t sent = send(way->to, way->unsent + way->offset, left, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR) continue;
		if (sent < 0) return errno == EAGAIN ? 0 : -1;
		way->offset += (uint32_t)sent;
		if (way->offset == way->length) {
			free(way->unsent);
			way->unsent = NULL;
		}
	}
	while (way->piped) {
		ssize_t moved = splice(way->pipe[0], NULL, way->to, NULL, way->piped,
		                       SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
		if (moved < 0 && errno == EINTR) continue;
		if (moved <= 0) return moved < 0 && errno == EAGAIN ? 0 : -1;
		way->piped -= (size_t)moved;
	}
	if (way->pipe[0] >= 0) return_pipe(way);
	return 1;
}

static int splice_once(struct way *way) {
	if (way->pipe[0] < 0 && borrow_pipe(way) < 0) return -1;
	ssize_t moved = splice(way->from, NULL, way->pipe[1], NULL, PIPE_SIZE,
	                       SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	if (moved > 0) {
		way->piped = (size_t)moved;
		return flush(way); /* A short splice does not tell that the socket is empty. */
	}
	if (moved < 0 && errno == EINTR) return 1;
	if (moved < 0 && errno != EAGAIN) return -1;
	way->has_ended = moved == 0;
	return_pipe(way);
	return way->has_ended;
}

static int copy_once(struct way *way) {
	ssize_t received = recv(way->from, buffer, BUFFER, 0), offset = 0;
	if (received < 0 && errno == EINTR) return 1;
	if (received < 0) return errno == EAGAIN ? 0 : -1;
	way->has_ended = received == 0;
	while (offset < received) {
		ssize_t sent = send(way->to, buffer + offset, (size_t)(received - offset), MSG_NOSIGNAL);
		if (sent >= 0) {
			offset += sent;
		} else if (errno == EAGAIN) {
			way->offset = 0;
			way->length = (uint32_t)(received - offset);
			way->unsent = malloc(way->length);
			if (!way->unsent) die("malloc");
			memcpy(way->unsent, buffer + offset, way->length);
			return 0;
		} else if (errno != EINTR) {
			return -1;
		}
	}
	return received == 0 || received == BUFFER || way->is_ending;
}

static int pump(struct way *way, const struct way *other) {
	int result = flush(way);
	while (result > 0 && !way->has_ended) result = splices ? splice_once(way) : copy_once(way);
	if (result > 0 && !way->is_shut) {
		way->is_shut = 1;
		/* Otherwise both directions are closed now. */
		if (!other->is_shut) shutdown(way->to, SHUT_WR);
	}
	return result;
}

static int watch(int fd, struct session *session, unsigned side) {
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
	                            .data.u64 = (uint64_t)(uintptr_t)session | side};
	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void open_session(int client) {
	int server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
	struct session *session = calloc(1, sizeof *session);
	if (server < 0 || !session) die("socket");
	setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	session->ways[0] = (struct way){.from = client, .to = server, .pipe = {-1, -1}};
	session->ways[1] = (struct way){.from = server, .to = client, .pipe = {-1, -1}};
	int connected = connect(server, (struct sockaddr *)&backend, sizeof backend);
	if ((connected < 0 && errno != EINPROGRESS) || watch(server, session, 1) < 0 ||
	    watch(client, session, 0) < 0)
		finish(session);
}

static void accept_all(int listener) {
	for (;;) {
		int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (client >= 0) open_session(client);
		else if (errno == EAGAIN) return;
		else if (errno != EINTR && errno != ECONNABORTED) die("accept4");
	}
}

static void serve(struct session *session, unsigned side, uint32_t events) {
	struct way *mine = &session->ways[side], *other = &session->ways[!side];
	int result = 1;
	if (session->is_dead) return;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) mine->is_ending = 1;
	if (!session->is_connected && !(events & EPOLLERR)) {
		if (side == 0) return; /* What it sent waits until the backend is there. */
		session->is_connected = 1;
		result = pump(other, mine);
	}
	if (result >= 0 && (events & ~(uint32_t)EPOLLOUT)) result = pump(mine, other);
	/* Room on this side lets the pending bytes for it continue. */
	if (result >= 0 && (events & EPOLLOUT) && (other->unsent || other->piped))
		result = pump(other, mine);
	if (result < 0 || (events & EPOLLERR) || (mine->is_shut && other->is_shut)) finish(session);
}

int main(int argc, char **argv) {
	if (argc != 4) {
		fprintf(stderr, "usage: %s PORT BACKEND_PORT copy|splice\n", argv[0]);
		return 2;
	}
	splices = !strcmp(argv[3], "splice");
	signal(SIGPIPE, SIG_IGN);
	backend.sin_port = htons((uint16_t)atoi(argv[2]));
	backend.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int listener = listen_on(atoi(argv[1]));
	epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event listening = {.events = EPOLLIN | EPOLLET};
	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &listening) < 0) die("epoll");
	static struct epoll_event events[EVENTS];
	for (;;) {
		int count = epoll_wait(epoll, events, EVENTS, -1);
		if (count < 0 && errno != EINTR) die("epoll_wait");
		for (int i = 0; i < count; i++) {
			uintptr_t word = (uintptr_t)events[i].data.u64;
			if (!word) accept_all(listener);
			else serve((struct session *)(word & ~(uintptr_t)1), word & 1, events[i].events);
		}
		free_dead();
	}
}
