"""Clients that connect, send some bytes, wait for the answer, and connect again."""
import contextlib
import socket
import threading

# The pause between two sessions of a client, in seconds.
PAUSE = 0.05


class Load:
    """Threads with one client each; ends with its `with` statement."""

    def __init__(self):
        self.ended = threading.Event()
        self.threads = []
        self.held = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()
        self.close()

    def hold(self, port, count):
        """Opens connections that stay open and silent."""
        for _ in range(count):
            self.held.append(socket.create_connection(("127.0.0.1", port)))

    def close(self):
        """Closes the silent connections."""
        while self.held:
            self.held.pop().close()

    def add(self, port, message=b"x" * 1000, count=1):
        """Starts clients of a port; they expect that servers fail and that sessions are reset."""
        def run():
            while not self.ended.wait(PAUSE):
                with contextlib.suppress(OSError):
                    with socket.create_connection(("127.0.0.1", port), timeout=2) as client:
                        client.sendall(message)
                        client.recv(len(message))
        for _ in range(count):
            self.threads.append(threading.Thread(target=run))
            self.threads[-1].start()
