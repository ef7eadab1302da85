"""Clients of the daemon; each is a coroutine that runs repeatedly.

A counter has their results; misbehavior of the daemon is counted under a name that begins with
"wrong".
"""
import asyncio
import collections
import contextlib
import random
import socket
import ssl
import struct

tally = collections.Counter()
LOCAL = "127.0.0.1"
# Possible errors of a connection whose server is killed or whose session is ended.
LOST = (OSError, EOFError, asyncio.IncompleteReadError, TimeoutError)
TLS, LONG_TLS = ssl.create_default_context(), ssl.create_default_context()
TLS.set_alpn_protocols(["h2", "http/1.1"])
# With these, a ClientHello is too long to stay in the kernel's buffer until it is complete.
LONG_TLS.set_alpn_protocols([f"{number:0250}" for number in range(20)])


def expect(condition, what):
    if not condition:
        tally[f"wrong: {what}"] += 1


async def every(seconds, work, *arguments):
    """Starts a task at regular intervals; several may run at the same time."""
    running = set()
    while True:
        task = asyncio.create_task(work(*arguments))
        running.add(task)
        task.add_done_callback(running.discard)
        await asyncio.sleep(random.uniform(0.5, 1.5) * seconds)


@contextlib.asynccontextmanager
async def connection(address, seconds=30, limit=1 << 16):
    """A connection that is closed at the latest after `seconds`."""
    async with asyncio.timeout(seconds):
        if isinstance(address, int):
            reader, writer = await asyncio.open_connection(LOCAL, address, limit=limit)
        else:
            reader, writer = await asyncio.open_unix_connection(address, limit=limit)
        try:
            yield reader, writer
        finally:
            writer.close()


def reset_at_close(writer):
    option = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, option)


async def short(name, address, is_calm):
    """Sends one message and expects it back; ends the connection in one of three ways."""
    data = b"x" + random.randbytes(random.randrange(2000))
    try:
        async with connection(address) as (reader, writer):
            writer.write(data)
            end = random.choice(("half-close", "close", "reset"))
            if end == "half-close":
                writer.write_eof()
                answer = await reader.read(-1)
            else:
                answer = await reader.readexactly(len(data))
            expect(answer == data or not is_calm and data.startswith(answer),
                   f"bytes of {name} differ from those sent")
            if end == "reset" and isinstance(address, int):
                reset_at_close(writer)
        tally[f"{name}: short"] += 1
    except LOST as error:
        expect(not is_calm, f"a short connection to {name} broke: {error!r}")
        tally[f"{name}: broken"] += 1


async def long(name, address):
    """A connection that is mostly idle; its server may be killed."""
    try:
        async with connection(address, random.uniform(5, 50)) as (reader, writer):
            while True:
                data = b"x" + random.randbytes(100)
                writer.write(data)
                answer = await reader.readexactly(len(data))
                expect(answer == data, f"bytes of {name} differ from those sent")
                await asyncio.sleep(random.uniform(1, 10))
    except TimeoutError:
        tally[f"{name}: long"] += 1
    except LOST:
        tally[f"{name}: broken"] += 1


async def bulk(name, address):
    """Sends a few megabytes in each direction."""
    size, block = random.randrange(1, 4) << 20, b"x" + random.randbytes((1 << 16) - 1)
    try:
        async with connection(address, 60) as (reader, writer):
            async def send():
                for _ in range(size // len(block)):
                    writer.write(block)
                    await writer.drain()
                writer.write_eof()

            sending = asyncio.create_task(send())
            try:
                for _ in range(size // len(block)):
                    answer = await reader.readexactly(len(block))
                    expect(answer == block, f"bulk bytes of {name} differ from those sent")
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
        tally[f"{name}: bulk, MiB"] += size >> 20
    except LOST:
        tally[f"{name}: broken"] += 1


async def slow(name, address, request=b""):
    """A client that reads much less than it is sent."""
    try:
        async with connection(address, random.uniform(10, 40), 2048) as (reader, writer):
            raw = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            writer.transport.set_write_buffer_limits(high=0)
            for _ in range(64 if request else 0):
                writer.write(request)
            while await reader.read(1024):
                await asyncio.sleep(0.2)
    except LOST:
        pass
    tally[f"{name}: slow"] += 1


async def headed(address):
    """A connection that begins with a PROXY header, which may be invalid or missing."""
    kind = random.choice(("v1", "v2", "wrong", "silent"))
    source = f"10.1.{random.randrange(256)}.{random.randrange(256)}"
    header = {
        "v1": f"PROXY TCP4 {source} 10.0.0.1 4711 80\r\n".encode(),
        "v2": b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack(
            "!H4s4sHH", 12, socket.inet_aton(source), socket.inet_aton("10.0.0.1"), 4711, 80),
        "wrong": b"GET / HTTP/1.0\r\n\r\n",
        "silent": b"",
    }[kind]
    try:
        async with connection(address, 10) as (reader, writer):
            if kind == "silent":
                expect(await reader.read(10) == b"", "a silent client received bytes")
            else:
                writer.write(header + b"xyz")
                answer = await reader.readexactly(3)
                expect(kind in ("v1", "v2"), "an invalid PROXY header was accepted")
                expect(answer == b"xyz", "bytes after a PROXY header were changed")
    except LOST:
        pass
    tally[f"named: {kind}"] += 1


def client_hello(context):
    """Returns the first bytes of a TLS client."""
    sent = ssl.MemoryBIO()
    name = f"{random.randrange(100)}.example.com"
    client = context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname=name)
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return sent.read()


async def inspected(address):
    """A client that begins with a ClientHello, with half of one, or without TLS."""
    kind = random.choice(("hello", "long hello", "half a hello", "no TLS"))
    data = b"x" * 100 if kind == "no TLS" else client_hello(LONG_TLS if "long" in kind else TLS)
    cut = random.randrange(1, len(data))
    try:
        async with connection(address) as (reader, writer):
            writer.write(data[:cut])
            if kind == "half a hello":
                expect(await reader.read(1) == b"", "half a ClientHello was answered")
            else:
                await asyncio.sleep(random.uniform(0, 0.1))
                writer.write(data[cut:])
                answer = await reader.readexactly(len(data))
                expect(answer == data, "an inspected client's bytes were changed")
        tally[f"inspected: {kind}"] += 1
    except LOST as error:
        expect(kind == "half a hello", f"an inspected connection broke: {error!r}")
        tally[f"inspected: {kind}"] += 1


async def small(ports):
    """Uses the handlers that need at most one message."""
    try:
        async with connection(ports["daytime"]) as (reader, _):
            expect((await reader.read(-1)).endswith(b"\r\n"), "daytime did not send a line")
        async with connection(ports["discard"]) as (reader, writer):
            writer.write(b"x" * 5000)
            writer.write_eof()
            expect(await reader.read(-1) == b"", "discard sent bytes")
        try:
            async with connection(ports["drop"]) as (reader, _):
                expect(await reader.read(-1) == b"", "drop sent bytes")
        except ConnectionError:
            pass  # The connection may be reset.
        tally["small"] += 1
    except LOST as error:
        expect(False, f"a connection to daytime, discard or drop broke: {error!r}")


async def silent(address):
    """A client that sends nothing until its timeout."""
    try:
        async with connection(address, 30) as (reader, _):
            expect(await reader.read(1) == b"", "a silent client received bytes")
        tally["echo: silent"] += 1
    except TimeoutError:
        expect(False, "a silent client was not disconnected")
    except OSError:
        pass


async def scrape(port):
    """Scrapes the metrics as Prometheus does."""
    request = (b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
               b"Accept: application/openmetrics-text; version=1.0.0\r\n\r\n")
    try:
        async with connection(port) as (reader, writer):
            writer.write(request)
            answer = await reader.read(-1)
        expect(answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"# EOF\n"),
               "metrics are incomplete")
        tally["metrics: scrape"] += 1
    except LOST as error:
        expect(False, f"a scrape failed: {error!r}")
