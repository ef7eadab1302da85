"""Clients of a fleet, which measure failovers: sessions that stay open, and new ones all the time.

Arguments: the address, the port, and the number of sessions that stay open.

Each open session sends some bytes ten times a second and expects them back. A new session connects
every 20 ms; it has failed if the server's first line is not there after a second. For each line of
standard input, prints a JSON object with the counts since the line before, and replaces the open
sessions that were lost. With the line "quiet", only opens the missing sessions.
"""
import asyncio
import collections
import json
import sys
import time

ADDRESS, PORT, COUNT = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
# Seconds between new sessions, the time for one, and the time after which an open one is lost.
PAUSE, PATIENCE, LOSS = 0.02, 1, 5


class Counts:
    def __init__(self):
        self.opened, self.failed, self.lost = 0, collections.Counter(), collections.Counter()
        self.doors, self.last, self.gap = collections.Counter(), time.monotonic(), 0
        self.echo, self.lost_doors = 0, collections.Counter()

    def success(self, line):
        now = time.monotonic()
        self.gap, self.last = max(self.gap, now - self.last), now
        self.opened += 1
        self.doors[line.split()[1].decode()] += 1

    def report(self, held):
        self.gap = max(self.gap, time.monotonic() - self.last)
        return {"opened": self.opened, "failed": dict(self.failed), "gap": round(self.gap, 3),
                "held": held, "lost": dict(self.lost),
                "lost_doors": dict(self.lost_doors), "longest_echo": round(self.echo, 3),
                "doors": dict(self.doors)}


counts = Counts()
held = set()


def kind(error):
    if isinstance(error, (TimeoutError, asyncio.TimeoutError)):
        return "timed out"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, (EOFError, asyncio.IncompleteReadError)):
        return "end of file"
    return "reset" if isinstance(error, ConnectionError) else str(error)


async def connect():
    reader, writer = await asyncio.open_connection(ADDRESS, PORT)
    try:
        line = await reader.readuntil(b"\n")
    except BaseException:
        writer.transport.abort()
        raise
    return reader, writer, line


async def visit():
    try:
        _, writer, line = await asyncio.wait_for(connect(), PATIENCE)
        writer.close()
        counts.success(line)
    except (OSError, EOFError, asyncio.TimeoutError) as error:
        counts.failed[kind(error)] += 1


async def hold(ready):
    reader, writer, line = await asyncio.wait_for(connect(), 10)
    held.add(writer)
    ready.release()
    try:
        while True:
            began = time.monotonic()
            writer.write(b"12345678")
            await asyncio.wait_for(reader.readexactly(8), LOSS)
            counts.echo = max(counts.echo, time.monotonic() - began)
            await asyncio.sleep(0.1)
    except (OSError, EOFError, asyncio.TimeoutError) as error:
        counts.lost[kind(error)] += 1
        counts.lost_doors[line.split()[1].decode()] += 1
        held.discard(writer)
        writer.transport.abort()


async def visits():
    waiting = set()
    while True:
        waiting.add(asyncio.create_task(visit()))
        await asyncio.sleep(PAUSE)
        waiting = {task for task in waiting if not task.done()}


async def main():
    global counts
    tasks = [asyncio.create_task(visits())]
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        if line != b"quiet\n":
            print(json.dumps(counts.report(len(held))), flush=True)
        ready = asyncio.Semaphore(0)
        missing = COUNT - len(held)
        tasks += [asyncio.create_task(hold(ready)) for _ in range(missing)]
        for _ in range(missing):
            await asyncio.wait_for(ready.acquire(), 30)
        counts = Counts()
        print("ready", flush=True)


asyncio.run(main())
