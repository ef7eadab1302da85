"""The servers behind the proxy: they echo, and some of them are killed from time to time."""
import asyncio
import ctypes
import multiprocessing
import os
import random
import signal
import socket
import time

FORK = multiprocessing.get_context("fork")
PR_SET_PDEATHSIG = 1
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def spawn(work, *arguments):
    """Runs a function in a process that does not outlive this one."""
    def run():
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        work(*arguments)

    process = FORK.Process(target=run, daemon=True)
    process.start()
    return process


async def echo(reader, writer):
    """Echoes the received bytes, except for a version 2 PROXY header at their beginning.

    If end of file arrives within a header, the missing bytes count as zero, so that the loop ends.
    """
    try:
        data = await reader.read(1 << 16)
        if data and data.startswith(SIGNATURE[:len(data)]):
            while len(data) < 16 or len(data) < 16 + int.from_bytes(data[14:16], "big"):
                data += await reader.read(1 << 16) or b"\0" * 16
            data = data[16 + int.from_bytes(data[14:16], "big"):] or await reader.read(1 << 16)
        while data:
            writer.write(data)
            await writer.drain()
            data = await reader.read(1 << 16)
        writer.write_eof()
    except OSError:
        pass
    finally:
        writer.close()


def serve(address):
    """Runs an echo server on an address forever."""
    async def run():
        if isinstance(address, str):
            if os.path.exists(address):
                os.unlink(address)
            server = await asyncio.start_unix_server(echo, address, backlog=1024)
        else:
            server = await asyncio.start_server(echo, *address, backlog=1024,
                                                family=socket.AF_INET, reuse_address=True)
        await server.serve_forever()

    asyncio.run(run())


def keep_servers(addresses, kill):
    """Runs the servers; kills one of them every 30 seconds, if they are to be killed."""
    def run():
        running = {index: spawn_nested(address) for index, address in enumerate(addresses)}
        while True:
            time.sleep(random.uniform(10, 30))
            if not kill:
                continue
            index = random.choice([*running])
            os.kill(running[index], signal.SIGKILL)
            os.waitpid(running[index], 0)
            time.sleep(random.uniform(0, 5))
            running[index] = spawn_nested(addresses[index])

    return spawn(run)


def spawn_nested(address):
    """Forks a process, because a daemonic process of multiprocessing may not have children."""
    parent = os.getpid()
    process = os.fork()
    if process == 0:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == parent:
            serve(address)
        os._exit(1)
    return process
