"""Checks that a server works, before it is measured."""
import contextlib
import dataclasses
import functools
import os
import select
import socket
import ssl
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
    """Whether a server works, and a note about its faults."""

    works: bool
    note: str


def of_echo(command):
    """Checks an echo server."""
    try:
        with Server("checked", command) as server:
            return Verdict(works=True, note=failing_of_echo(server.port))
    except (RuntimeError, OSError) as error:
        print(error, file=sys.stderr)
        return Verdict(works=False, note="does not work")


@functools.cache
def of_proxy(command, is_by_name=False):
    """Checks a proxy, with a ClientHello first if it routes by the TLS server name."""
    first, notes = client_hello("shop.example.com") if is_by_name else b"", []
    with socket.create_server(("127.0.0.1", 0)) as backend:
        backend.settimeout(LONGEST)
        try:
            with Server("checked", command, backend.getsockname()[1]) as server:
                if failing := failing_of_exchange(server.port, backend, first, half_closes=False):
                    server.fail(failing)
                if failing_of_exchange(server.port, backend, first, half_closes=True):
                    notes.append("no half-close")
                if is_by_name and not routes_other_names(server.port, backend):
                    notes.append("ignores names")
        except (RuntimeError, OSError) as error:
            print(error, file=sys.stderr)
            return Verdict(works=False, note="does not work")
    return Verdict(works=True, note=", ".join(notes))


def client_hello(name):
    """Returns the first bytes of a TLS client."""
    context, sent = ssl.create_default_context(), ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname=name)
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return sent.read()


def routes_other_names(port, backend):
    """Returns whether other names reach the other backend: the same port of 127.0.0.2."""
    with socket.create_server(("127.0.0.2", backend.getsockname()[1])) as other:
        for name in ("www.other.example.com", "unknown.example.com"):
            with socket.create_connection(("127.0.0.1", port), LONGEST) as client:
                client.sendall(client_hello(name))
                reached = select.select([backend, other], [], [], LONGEST)[0]
                for each in reached:
                    each.accept()[0].close()
            if reached != [other]:
                return False
    return True


def failing_of_exchange(port, backend, first, half_closes):
    """Checks that a half-closed client gets the backend's answer to all of its bytes."""
    def answer():
        with contextlib.suppress(OSError), backend.accept()[0] as peer:
            peer.settimeout(LONGEST)
            request = receive(peer, len(sent))
            if half_closes:
                receive(peer, 1)
            peer.sendall(request)

    sent, received = first + os.urandom(SIZE), b""
    answering = threading.Thread(target=answer, daemon=True)
    answering.start()
    try:
        with socket.create_connection(("127.0.0.1", port), LONGEST) as client:
            client.sendall(sent)
            if half_closes:
                client.shutdown(socket.SHUT_WR)
            # One more byte, so that end of file must arrive as well.
            received = receive(client, len(sent) + 1)
    except OSError as error:
        return str(error)
    finally:
        answering.join(2 * LONGEST)
    return "" if received == sent else f"{len(received)} of {len(sent)} bytes returned"


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
