"""The actions of operators, and of badly written clients of the control socket."""
import asyncio
import json
import os
import random
import signal

from .clients import LOST, connection, expect, tally
from .control import DAEMON, Refusal


async def call(path, method, parameters=None):
    """Calls a method of the daemon over a new connection."""
    message = {"method": f"{DAEMON}.{method}", "parameters": parameters or {}}
    async with connection(str(path), limit=1 << 24) as (reader, writer):
        writer.write(json.dumps(message).encode() + b"\0")
        reply = json.loads((await reader.readuntil(b"\0"))[:-1])
    if "error" in reply:
        raise Refusal(reply["error"], reply.get("parameters"))
    return reply.get("parameters", {})


async def ask(path):
    """Makes a call that must be answered, whatever else happens on the control socket."""
    method = random.choice(("GetStatus", "ListListeners", "ListUpstreams", "ListSessions",
                            "GetMetrics"))
    try:
        await call(path, method)
        tally[f"control: {method}"] += 1
    except (*LOST, Refusal) as error:
        expect(False, f"{method} failed: {error!r}")


async def kill_session(path):
    """Kills a session whose client tolerates that."""
    try:
        found = await call(path, "ListSessions", {"listener": "chargen"})
        if found["sessions"]:
            await call(path, "KillSession", {"id": random.choice(found["sessions"])["id"]})
            tally["control: KillSession"] += 1
        # A network without clients: the workers search all sessions, and close none.
        killed = await call(path, "KillSessions", {"peer": "192.0.2.0/24"})
        expect(killed["count"] == 0, f"KillSessions closed {killed}")
    except Refusal as error:
        expect(error.args[0].endswith("SessionNotFound"), f"KillSession failed: {error!r}")
    except LOST as error:
        expect(False, f"KillSession failed: {error!r}")


async def misbehave(path):
    """A control client that violates the protocol, or does not read."""
    status = json.dumps({"method": f"{DAEMON}.GetStatus"}).encode() + b"\0"
    data = random.choice((b"", b'{"method": "io', b"{]\0", b"\0" * 100, b"x" * (1 << 20),
                          status * 500, status.replace(b"}", b', "oneway": true}') * 200))
    try:
        async with connection(str(path), random.uniform(1, 10)) as (reader, writer):
            writer.write(data)
            await writer.drain()
            await asyncio.sleep(20)
    except LOST:
        pass
    tally["control: misbehaved"] += 1


async def monitor(path):
    """A client that calls Monitor and reads the events."""
    message = {"method": f"{DAEMON}.Monitor", "more": True}
    try:
        async with connection(str(path), random.uniform(20, 60), 1 << 24) as (reader, writer):
            writer.write(json.dumps(message).encode() + b"\0")
            while True:
                reply = json.loads((await reader.readuntil(b"\0"))[:-1])
                expect(reply.get("continues") is True, f"Monitor ended: {reply}")
                tally["control: events of Monitor"] += 1
    except TimeoutError:
        tally["control: Monitor"] += 1
    except LOST:
        # It is closed if it is too slow, or if it is idle and new clients need its slot.
        tally["control: Monitor closed"] += 1


async def drain(path):
    """Drains a listener, and resumes it."""
    try:
        await call(path, "Drain", {"listener": "spare"})
        await asyncio.sleep(random.uniform(0, 1))
        await call(path, "Resume", {"listener": "spare"})
        tally["control: Drain and Resume"] += 1
    except (*LOST, Refusal) as error:
        expect(False, f"Drain or Resume failed: {error!r}")


async def set_server(setting):
    """Drains a server briefly, and changes its weight."""
    name = f"127.0.0.1:{setting.server_ports[1]}"
    try:
        for state, weight in (("drain", 1), ("up", random.randrange(1, 5))):
            await call(setting.control_path, "SetServer", {
                "upstream": "app", "server": name, "state": state, "weight": weight})
            await asyncio.sleep(1)
        tally["control: SetServer"] += 1
    except (*LOST, Refusal) as error:
        expect(False, f"SetServer failed: {error!r}")


async def reload(setting):
    """Reloads another configuration; every tenth one is invalid."""
    setting.generation += 1
    if setting.generation % 10 == 0:
        setting.write('{"listeners": {"echo": {"listen": ["nowhere"]}}}')
        try:
            await call(setting.control_path, "Reload")
            expect(False, "an invalid configuration was accepted")
        except Refusal:
            tally["reload: refused"] += 1
        except LOST as error:
            expect(False, f"a reload failed: {error!r}")
        return setting.write()
    setting.write()
    if setting.generation % 3 == 0:
        os.kill(setting.process.pid, signal.SIGHUP)
        tally["reload: SIGHUP"] += 1
        return
    try:
        await call(setting.control_path, "Reload")
        tally["reload: done"] += 1
    except (*LOST, Refusal) as error:
        expect(False, f"a reload failed: {error!r}")
