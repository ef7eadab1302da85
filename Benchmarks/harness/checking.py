"""Checks that a server works, before it is measured."""
import contextlib
import dataclasses
import functools
import os
import socket
import subprocess
import sys
import threading

from .processes import Server
from .scenarios import BIN

SIZE = 300_000
LONGEST = 5


def failing_of_echo(port):
    """Returns a fault of an echo server, or an empty string if it echoes all bytes and the end."""
    sent, received = os.urandom(SIZE), bytearray()
    try:
        with socket.create_connection(("127.0.0.1", port), LONGEST) as client:
            def send():
                client.sendall(sent)
                client.shutdown(socket.SHUT_WR)

            sender = threading.Thread(target=send, daemon=True)
            sender.start()
            while chunk := client.recv(65536):
                received += chunk
            sender.join(LONGEST)
    except OSError as error:
        return f"{error} after {len(received)} bytes"
    return "" if received == sent else f"{len(received)} wrong bytes returned"


@dataclasses.dataclass
class Verdict:
    """Whether a proxy forwards, and a note about its faults."""

    works: bool
    note: str


@functools.cache
def of_proxy(command):
    with socket.create_server(("127.0.0.1", 0)) as backend:
        backend.settimeout(LONGEST)
        try:
            with Server("checked", command, backend.getsockname()[1]) as server:
                if failing := failing_of_exchange(server.port, backend, half_closes=False):
                    server.fail(failing)
                passes = not failing_of_exchange(server.port, backend, half_closes=True)
        except (RuntimeError, OSError) as error:
            print(error, file=sys.stderr)
            return Verdict(works=False, note="does not work")
    return Verdict(works=True, note="" if passes else "no half-close")


def failing_of_exchange(port, backend, half_closes):
    """Checks that a half-closed client gets the backend's answer to all of its bytes."""
    def answer():
        with contextlib.suppress(OSError), backend.accept()[0] as peer:
            peer.settimeout(LONGEST)
            request = receive(peer, SIZE)
            if half_closes:
                receive(peer, 1)
            peer.sendall(request)

    answering = threading.Thread(target=answer, daemon=True)
    answering.start()
    sent, received = os.urandom(SIZE), b""
    try:
        with socket.create_connection(("127.0.0.1", port), LONGEST) as client:
            client.sendall(sent)
            if half_closes:
                client.shutdown(socket.SHUT_WR)
            # One more byte, so that end of file must arrive as well.
            received = receive(client, SIZE + 1)
    except OSError as error:
        return str(error)
    finally:
        answering.join(2 * LONGEST)
    return "" if received == sent else f"{len(received)} of {SIZE} bytes returned"


def of_open_load():
    """Fails if the histogram or the arrivals of the open load are wrong."""
    check = subprocess.run([BIN / "selfcheck"], stderr=subprocess.PIPE, text=True, timeout=60)
    if check.returncode != 0:
        raise RuntimeError(f"the open load is wrong: {check.stderr}")


def receive(peer, length):
    """Returns the bytes that a socket receives, until there are `length` or end of file."""
    received = bytearray()
    while len(received) < length and (chunk := peer.recv(65536)):
        received += chunk
    return bytes(received)
