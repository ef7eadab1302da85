#!/usr/bin/env python3
# Runs the daemon with services of dnsmasq, knot and BIND, and checks what docs/discovery.md says.
#
#   Tests/Programs/service_checks.py VERYPOLLD VERYPOLLCTL [dnsmasq|knot|bind]...
#
# Prints a line for each check, and exits with 1 if one fails. Needs root: the daemon gets a
# resolv.conf of its own, and the name servers a loopback address with port 53.
import asyncio
import collections
import contextlib
import json
import multiprocessing
import os
import pathlib
import random
import re
import shutil
import statistics
import sys
import tempfile
import time
import traceback

import dns_messages
import service_names
from service_names import NAME, until

MANY = 100
SESSIONS = 20_000
WEIGHTS = [0, 5, 10, 20, 65]


class Server(asyncio.Protocol):
    """Tells each client its port, and again for each line."""

    def connection_made(self, transport):
        self.transport = transport
        self.line = f"{transport.get_extra_info('sockname')[1]}\n".encode()
        transport.write(self.line)

    def data_received(self, data):
        self.transport.write(self.line * data.count(b"\n"))


class Pool:
    """Servers at one address, each of which can be stopped and started."""

    def __init__(self, address):
        self.address = address
        self.servers = {}

    async def start(self, port=0):
        server = await asyncio.get_running_loop().create_server(
            Server, self.address, port, backlog=1024)
        port = server.sockets[0].getsockname()[1]
        self.servers[port] = server
        return port

    def stop(self, port):
        self.servers.pop(port).close()


class Question(asyncio.Protocol):
    """A session that ends when it knows its server."""

    def __init__(self):
        self.port = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        if not self.port.done():
            self.port.set_result(int(data))
        self.transport.close()

    def connection_lost(self, error):
        if not self.port.done():
            self.port.set_exception(AssertionError(f"a session ended without an answer: {error}"))


class Session:
    """A session that stays open."""

    def __init__(self, reader, writer):
        self.reader, self.writer, self.port = reader, writer, None

    @classmethod
    async def begin(cls, path):
        session = cls(*await asyncio.open_unix_connection(path))
        session.port = await session.read()
        return session

    async def read(self):
        line = await asyncio.wait_for(self.reader.readline(), service_names.LIMIT)
        assert line, "a session was ended"
        return int(line)

    async def check(self):
        self.writer.write(b"who\n")
        assert await self.read() == self.port, "a session has another server"


class Daemon:
    """A running daemon with one upstream."""

    def __init__(self, folder, control):
        self.folder, self.control = folder, control
        self.path = str(folder / "front")
        self.process = None

    async def call(self, *words):
        process = await asyncio.create_subprocess_exec(
            self.control, "--socket", str(self.folder / "control"), *words,
            stdout=asyncio.subprocess.PIPE)
        output, _ = await process.communicate()
        assert process.returncode == 0, f"verypollctl has exited with {process.returncode}"
        return output.decode()

    async def status(self):
        return json.loads(await self.call("upstreams", "--json=short"))["upstreams"][0]

    async def service(self):
        return (await self.status())["services"][0]

    async def await_servers(self, ports):
        async def has_servers():
            servers = (await self.status())["servers"]
            return {int(server["address"].rsplit(":")[-1]) for server in servers} == set(ports)

        await until(f"the daemon to have {len(ports)} servers", has_servers)

    async def await_failure(self, text, count=1):
        async def has_failed():
            service = await self.service()
            found = text in service.get("failure", "") and service["failures"] >= count
            return service if found else None

        return await until(f"the failure “{text}”", has_failed)

    async def ask(self):
        _, session = await asyncio.get_running_loop().create_unix_connection(Question, self.path)
        return await asyncio.wait_for(session.port, service_names.LIMIT)

    async def ask_often(self, count, width=50):
        """Returns how many of `count` sessions each server has got."""
        counts = collections.Counter()
        rest = iter(range(count))

        async def ask_some():
            for _ in rest:
                counts[await self.ask()] += 1

        await asyncio.gather(*(ask_some() for _ in range(width)))
        return counts


class Lab:
    """The servers, a name server with its relay, and a folder for all files."""

    def __init__(self, kind, programs, folder):
        self.kind, self.folder = kind, folder
        self.programs = programs
        self.address = f"127.{random.randint(64, 126)}.{random.randint(1, 254)}.53"
        self.pool = Pool(self.address)
        self.names = service_names.KINDS[kind](folder, self.address)
        self.relay = service_names.Relay(self.address, self.names.address)
        self.daemon_count = 0

    async def begin(self):
        self.ports = sorted([await self.pool.start() for _ in range(MANY)])
        await self.relay.begin()

    @contextlib.asynccontextmanager
    async def daemon(self, **keys):
        """Runs a daemon whose upstream has these settings; it must end well."""
        self.daemon_count += 1
        folder = self.folder / f"daemon{self.daemon_count}"
        folder.mkdir()
        program, control = self.programs
        daemon = Daemon(folder, control)
        (folder / "settings").write_text(json.dumps({
            "control": {"socket": str(folder / "control")},
            "listeners": {"front": {"listen": [f"unix:{daemon.path}"],
                                    "handler": {"type": "proxy", "upstream": "app"}}},
            "upstreams": {"app": {"servers": [{"srv": NAME}], **keys}}}))
        with open(folder / "log", "w") as log:
            daemon.process = await asyncio.create_subprocess_exec(
                *service_names.launcher(folder, self.address), program,
                "--config", str(folder / "settings"), stderr=log)
        try:
            async def has_begun():
                assert daemon.process.returncode is None, "the daemon has not started"
                return os.path.exists(daemon.path)

            await until("the daemon to start", has_begun)
            yield daemon
            assert daemon.process.returncode is None, "the daemon has ended"
        except BaseException:
            print(service_names.log_end(folder), file=sys.stderr)
            raise
        finally:
            if daemon.process.returncode is None:
                daemon.process.terminate()
            code = await daemon.process.wait()
        assert code == 0, f"the daemon has exited with {code}"


async def check_many(lab):
    """100 servers, whose names do not fit a datagram"""
    await lab.names.publish([(0, 1, port) for port in lab.ports], time_to_live=60)
    query = dns_messages.question(NAME)
    datagram = await service_names.ask_datagram(lab.names.address, query)
    assert dns_messages.is_truncated(datagram), "the answer over UDP is not truncated"
    async with lab.daemon() as daemon:
        await daemon.await_servers(lab.ports)
        counts = await daemon.ask_often(2 * MANY)
        assert counts == {port: 2 for port in lab.ports}, f"the sessions are {counts}"
        shown = {server["sessions"] for server in (await daemon.status())["servers"]}
        assert shown == {2}, f"verypollctl shows {shown}"
    relayed = lab.relay.counts
    assert relayed["truncated"] and relayed["streams"], f"no TCP: {relayed}"
    return (f"each has 2 of 200 sessions; the answer over UDP (at most 1232 bytes) was truncated to"
            f" {len(datagram)} bytes, and the daemon got {relayed['largest stream']} bytes in"
            f" {relayed['streams']} TCP connection")


async def check_tiers(lab):
    """Three priorities: the lowest that works is used"""
    tiers = lab.ports[:3], lab.ports[3:5], lab.ports[5:6]
    await lab.names.publish([(priority, 1, port) for priority, tier in zip((0, 5, 9), tiers)
                             for port in tier])
    check = {"type": "connect", "interval": "100ms", "fall": 2, "rise": 2}
    seen = []

    async def expect(tier):
        async def is_used():
            return set(await daemon.ask_often(8)) == set(tiers[tier])

        await until(f"tier {tier}", is_used)
        counts = await daemon.ask_often(60)
        share = 60 // len(tiers[tier])
        assert set(counts) == set(tiers[tier]), f"the sessions are {counts}"
        assert all(abs(count - share) <= 1 for count in counts.values()), f"not equal: {counts}"
        seen.append(str(tier))

    async with lab.daemon(check=check, resolve={"atMost": "1s"}) as daemon:
        await daemon.await_servers(sum(tiers, []))
        await expect(0)
        for tier in 0, 1:
            for port in tiers[tier]:
                lab.pool.stop(port)
            await expect(tier + 1)
        for tier in 1, 0:
            for port in tiers[tier]:
                await lab.pool.start(port)
            await expect(tier)
    return f"the tiers in use were {', '.join(seen)}, with equal shares; no session failed"


async def check_weights(lab):
    """The default balance, roundRobin, shares the sessions by weight"""
    ports = lab.ports[:len(WEIGHTS)]
    await lab.names.publish([(0, weight, port) for weight, port in zip(WEIGHTS, ports)])
    async with lab.daemon() as daemon:
        await daemon.await_servers(ports)
        assert (await daemon.status())["balance"] == "roundRobin"
        counts = await daemon.ask_often(SESSIONS)
    # Weight 0 is a hundredth of weight 1.
    total = sum(weight or 0.01 for weight in WEIGHTS)
    for weight, port in zip(WEIGHTS, ports):
        expected = SESSIONS * (weight or 0.01) / total
        error = max(1, 0.05 * expected)
        assert abs(counts[port] - expected) <= error, f"weight {weight} has {counts[port]}"
    shares = ", ".join(f"{weight}: {counts[port]}" for weight, port in zip(WEIGHTS, ports))
    return f"{SESSIONS} sessions by weight: {shares}"


async def check_lifetimes(lab):
    """The time to live says when to ask again, between atLeast and atMost"""
    records = [(0, 1, port) for port in lab.ports[:2]]
    results = []
    await lab.names.publish(records, time_to_live=1)
    async with lab.daemon(resolve={"atLeast": "500ms", "atMost": "2s"}) as daemon:
        await daemon.await_servers(lab.ports[:2])
        for time_to_live, expected in (1, 1), (3600, 2), (0, 0.5), (1, 1):
            await lab.names.publish(records, time_to_live)
            # The first question after the change may still be due to the former answer.
            begin = len(lab.relay.questions) + 1

            async def were_asked():
                return len(lab.relay.questions) > begin + 3

            await until("questions", were_asked)
            times = lab.relay.questions[begin:begin + 4]
            gaps = [later - time for time, later in zip(times, times[1:])]
            # The busy machine may delay a question, but none may come too early.
            assert min(gaps) > expected - 0.01, f"TTL {time_to_live}: too early: {gaps}"
            assert statistics.median(gaps) < expected + 0.4, f"TTL {time_to_live}: late: {gaps}"
            results.append(f"TTL {time_to_live}: {statistics.median(gaps):.2f} s")
    return f"with atLeast 0.5 s and atMost 2 s, time between questions: {', '.join(results)}"


async def check_lost(lab):
    """A target whose address nobody knows does not extend the time to live"""
    former, lost = lab.ports[:2], lab.ports[2]
    lab.names.lost = [lost]
    lab.relay.mode = "nameless"
    try:
        await lab.names.publish([(0, 1, port) for port in [*former, lost]], time_to_live=7)
        begin = len(lab.relay.questions)
        async with lab.daemon() as daemon:
            await daemon.await_servers(former)
            assert set(await daemon.ask_often(10)) == set(former)

            async def was_asked():
                return len(lab.relay.questions) > begin + 1

            await until("a question", was_asked)
            gap = lab.relay.questions[begin + 1] - lab.relay.questions[begin]
    finally:
        lab.names.lost = ()
        lab.relay.mode = "pass"
    assert 7 <= gap < 9, f"with TTL 7, the next question came after {gap} s"
    return f"TTL 7, 6 s to wait for an address: the next question came after {gap:.2f} s"


async def check_waiting(lab):
    """A session that comes before the name exists waits for it"""
    await lab.names.publish([])
    async with lab.daemon(resolve={"atMost": "1s"}, retry={"for": "1min"}) as daemon:
        await daemon.await_failure("no such name")
        assert (await daemon.status())["servers"] == []
        waiting = [asyncio.create_task(Session.begin(daemon.path)) for _ in range(10)]
        await daemon.await_failure("no such name", count=3)
        assert not any(task.done() for task in waiting), "a session did not wait"
        await lab.names.publish([(0, 1, lab.ports[7])])
        for session in await asyncio.gather(*waiting):
            assert session.port == lab.ports[7]
            session.writer.close()
    return "10 sessions waited over 3 failures (no such name), and got a server"


async def check_refusal(lab):
    """The target . takes the service away, and its sessions stay"""
    await lab.names.publish([(0, 1, lab.ports[0])])
    async with lab.daemon(resolve={"atMost": "1s"}, connectTimeout="200ms") as daemon:
        await daemon.await_servers(lab.ports[:1])
        session = await Session.begin(daemon.path)
        await lab.names.publish(".")

        async def is_not_offered():
            return (await daemon.service())["isNotOffered"]

        await until("the target .", is_not_offered)
        await daemon.await_servers([])
        assert "not offered" in await daemon.call("upstreams")
        refused = False
        try:
            await daemon.ask()
        except (AssertionError, ConnectionError):
            refused = True
        assert refused, "a new session got a server"
        await session.check()
        await lab.names.publish([(0, 1, lab.ports[0])])
        await daemon.await_servers(lab.ports[:1])
        assert await daemon.ask() == lab.ports[0]
        await session.check()
        session.writer.close()
    return "no servers, not offered; the open session stayed, and the service came back"


async def check_failure(lab, begin, reason, count=2):
    """Keeps the last good answer while `count` questions fail, and takes the next one."""
    former, later = lab.ports[:3], lab.ports[3:5]
    lab.relay.mode = "pass"
    await lab.names.publish([(0, 1, port) for port in former])
    async with lab.daemon(resolve={"atMost": "1s"}) as daemon:
        await daemon.await_servers(former)
        sessions = [await Session.begin(daemon.path) for _ in range(12)]
        await begin()
        first = await daemon.await_failure(reason)
        assert set(await daemon.ask_often(30)) == set(former), "a new session has no server"
        for session in sessions:
            await session.check()
        service = await daemon.await_failure(reason, count=count)
        moved = abs(service["answerTimestampUSec"] - first["answerTimestampUSec"]) / 1e6
        assert moved < 0.5, f"the time of the last answer has moved by {moved} s"
        age = time.time() - service["answerTimestampUSec"] / 1e6
        shown = re.search(r"answered (\S+) ago; (.*)", await daemon.call("upstreams"))
        assert shown and reason in shown[2], "verypollctl does not show the age of the answer"
        await daemon.await_servers(former)
        lab.relay.mode = "pass"
        await lab.names.publish([(0, 1, port) for port in later])
        await daemon.await_servers(later)
        assert set(await daemon.ask_often(30)) == set(later)
        for session in sessions:
            await session.check()
            session.writer.close()
        assert "failure" not in await daemon.service()
    return (f"the answer of {age:.1f} s ago was kept (verypollctl: {shown[1]}), 12 sessions lived"
            f" on, and new servers were found; error: {shown[2].replace(lab.address, 'ADDRESS')}")


async def check_missing(lab):
    """NXDOMAIN"""
    return await check_failure(lab, lambda: lab.names.publish([]), "no such name")


async def check_error(lab):
    """SERVFAIL"""
    return await check_failure(lab, lab.names.fail, "failed (SERVFAIL)")


async def disturb(lab, mode, reason):
    async def begin():
        lab.relay.mode = mode

    # The time until a question fails is long.
    return await check_failure(lab, begin, reason, count=1)


async def check_silence(lab):
    """No answer"""
    return await disturb(lab, "drop", "did not answer in time")


async def check_garbage(lab):
    """Garbage over UDP"""
    return await disturb(lab, "garbage", "sent no valid answer in time")


async def check_stream_garbage(lab):
    """Garbage over TCP"""
    return await disturb(lab, "stream", "over TCP")


CHECKS = [check_many, check_tiers, check_weights, check_lifetimes, check_lost, check_waiting,
          check_refusal, check_missing, check_error, check_silence, check_garbage,
          check_stream_garbage]


async def run_checks(kind, programs, folder):
    lab = Lab(kind, programs, folder)
    await lab.begin()
    failures = 0
    try:
        for check in CHECKS:
            try:
                result = f"ok: {await check(lab)}"
            except Exception as error:
                failures += 1
                result = f"FAILED: {error!r}"
                traceback.print_exc()
                print(service_names.log_end(folder), file=sys.stderr)
            print(f"{kind}: {check.__doc__}: {result}", flush=True)
    finally:
        await lab.names.stop()
    return failures


def run_kind(kind, programs):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        return asyncio.run(run_checks(kind, programs, pathlib.Path(folder)))


def main():
    programs = [os.path.abspath(path) for path in sys.argv[1:3]]
    kinds = sys.argv[3:] or list(service_names.KINDS)
    for program in ("dnsmasq", "knotd", "named", "unshare"):
        if not shutil.which(program):
            sys.exit(f"{program} is not installed; run Scripts/install-dependencies test")
    begin = time.monotonic()
    with multiprocessing.Pool(len(kinds)) as pool:
        failures = pool.starmap(run_kind, [(kind, programs) for kind in kinds])
    print(f"{len(kinds) * len(CHECKS)} checks in {time.monotonic() - begin:.0f} s,"
          f" {sum(failures)} failures")
    sys.exit(1 if sum(failures) else 0)


main()
