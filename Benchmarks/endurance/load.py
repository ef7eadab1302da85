"""The processes of a soak: the load, whose clients share one thread, and the honest probe."""
import asyncio
import os
import signal
import socket
import time

from . import clients, disturbances
from .clients import every, tally

# Methods that older versions of the daemon do not have.
OPTIONAL = {"Reload", "Monitor", "Drain", "Resume", "SetServer"}


def works(setting, methods):
    """Returns the repeated tasks, each with its interval in seconds."""
    ports, folder, control = setting.ports, setting.folder, setting.control_path
    all_works = [
        (0.08, clients.short, "calm", ports["probed"], True),
        (0.15, clients.short, "app", ports["app"], False),
        (0.3, clients.short, "app", f"{folder}/app", False),
        (0.3, clients.short, "echo", ports["echo"], True),
        (0.2, clients.long, "app", ports["app"]),
        (0.2, clients.long, "calm", ports["probed"]),
        (3, clients.bulk, "app", ports["app"]),
        (3, clients.bulk, "app", f"{folder}/app"),
        (3, clients.slow, "chargen", ports["chargen"]),
        (3, clients.slow, "app", ports["app"], b"x" * 65536),
        (0.5, clients.headed, ports["named"]),
        (0.3, clients.inspected, ports["inspected"]),
        (0.5, clients.short, "spare", ports["spare"], False),
        (1, clients.small, ports),
        (2, clients.silent, ports["echo"]),
        (1, clients.scrape, ports["metrics"]),
        (0.5, disturbances.ask, control),
        (2, disturbances.kill_session, control),
        (0.5, disturbances.misbehave, control),
    ]
    if "Monitor" in methods:
        all_works.append((10, disturbances.monitor, control))
    if {"Drain", "Resume"} <= methods:
        all_works.append((7, disturbances.drain, control))
    if "SetServer" in methods:
        all_works.append((11, disturbances.set_server, setting))
    if "Reload" in methods:
        all_works.append((3, disturbances.reload, setting))
    return all_works


def run_load(setting, methods, results):
    """Runs the load until it is killed; reports its counters every second."""
    async def run():
        tasks = [asyncio.create_task(every(*work)) for work in works(setting, methods)]
        while True:
            await asyncio.sleep(1)
            for task in tasks:
                if task.done():
                    clients.expect(False, f"the load has a bug: {task.exception()!r}")
            results.send(dict(tally))

    # An exception other than the end of a connection is a bug of the load itself.
    def fail(_, context):
        clients.expect(False, f"the load has a bug: {context.get('exception')!r}")

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(fail)
    loop.run_until_complete(run())


def run_probe(port, results, pace=0.02):
    """An honest client that makes one request per connection at a fixed pace.

    Every second, it reports how long each answer took, in seconds, and how many failed.
    """
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    times, failed, moment, reported = [], 0, time.monotonic(), time.monotonic()
    while True:
        moment = max(moment + pace, time.monotonic())
        time.sleep(max(0, moment - time.monotonic()))
        begin = time.monotonic()
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
                client.sendall(b"?" * 64)
                count = 0
                while count < 64:
                    got = len(client.recv(64))
                    if got == 0:
                        raise ConnectionError("closed too early")
                    count += got
            times.append(time.monotonic() - begin)
        except OSError:
            failed += 1
        if begin - reported >= 1:
            results.send((times, failed))
            times, failed, reported = [], 0, begin
