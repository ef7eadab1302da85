#!/usr/bin/env python3
# Runs a daemon whose upstream is a service of a real knotd, and changes the zone each second.
#
#   Tests/Programs/zone_churn.py VERYPOLLD SECONDS
#
# Meanwhile clients make 500 requests a second, and some keep a session open. Fails if a session is
# harmed, if a server is chosen that the name server no longer names, if the daemon does not ask
# again when an answer expires, or if its memory grows. Needs root: the daemon gets a resolv.conf of
# its own, and knotd has port 53 of a loopback address. Prints a summary as JSON.
#
# The answers of the name server are compared with the choices of the daemon, at the times that the
# kernel has noted for the packets. The times at which knotc runs say little: it may end a second
# after the daemon has heard of the new zone.
import asyncio
import json
import os
import pathlib
import random
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

import dns_messages

RATE = 500
SERVERS = 12
LONG_SESSIONS = 20
TIME_TO_LIVE = 1.0
# The time that the daemon may need to ask when an answer has expired, and to choose by a new one.
# The longest delay of this program is added, which shows how busy the machine was.
SLACK = 1.5
# The time that a new answer usually needs to take effect, and the share of requests that may be
# answered by former servers after it.
MOMENT = 0.1
OLD_SHARE = 0.02
# More requests at a time are skipped: the clients, rather than the daemon, are then too slow.
REQUEST_LIMIT = 200
SO_TIMESTAMPNS = 35
NAME = "_app._tcp.churn.example."


class Wire:
    """The questions to a name server and its answers over UDP, with their times."""

    def __init__(self, address):
        self.address = address
        self.questions, self.replies = (
            socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) for _ in range(2))
        # Raw sockets receive copies of the packets to their own address, or from their peer's.
        self.questions.bind((address, 0))
        self.replies.connect((address, 0))
        for packets in (self.questions, self.replies):
            packets.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            packets.setblocking(False)
        self.counts = {"questions": 0, "answers": 0}
        self.answers = []  # (time, ports), the last ones
        self.heard_at = None
        # The longest time from an answer's end of life to the next question.
        self.latest_question = 0

    @staticmethod
    def receive(packets):
        """Yields the times and messages of the packets that have arrived."""
        while True:
            try:
                data, notes, _, _ = packets.recvmsg(65535, 64)
            except BlockingIOError:
                return
            seconds, nanoseconds = struct.unpack("qq", notes[0][2][:16])
            at = seconds + nanoseconds / 1e9 - time.time() + time.monotonic()
            yield at, data[(data[0] & 15) * 4 + 8:]

    def update(self):
        """Takes note of all packets so far."""
        news = [(at, None) for at, _ in self.receive(self.questions)]
        for at, message in self.receive(self.replies):
            ports = {fields[2] for fields, _ in dns_messages.services(message)}
            news.append((at, ports))
        for at, ports in sorted(news, key=lambda new: new[0]):
            if ports is None:
                self.counts["questions"] += 1
                if self.heard_at is not None:
                    self.latest_question = max(self.latest_question, self.silence(at))
            elif ports:
                # After an answer without servers, the daemon keeps the last good one.
                self.counts["answers"] += 1
                self.answers = self.answers[-50:] + [(at, ports)]
            self.heard_at = at

    def silence(self, now):
        """Returns how long the daemon has not asked though an answer has expired."""
        if self.heard_at is None:
            return float("inf")
        return now - self.heard_at - TIME_TO_LIVE

    def age(self, port, begin):
        """Returns how long before a time the answer was replaced that named the port."""
        self.update()
        ends = [at for at, _ in self.answers[1:]] + [float("inf")]
        ages = [max(0, begin - end) for (_, ports), end in zip(self.answers, ends) if port in ports]
        return min(ages, default=float("inf"))


class Zone:
    """A knotd with one zone, which names other servers after each change."""

    def __init__(self, folder, ports):
        self.folder, self.ports = folder, ports
        self.address = f"127.{random.randint(64, 126)}.{random.randint(1, 254)}.53"
        self.socket = folder / "knot.sock"
        zone = folder / "churn.example.zone"
        zone.write_text("\n".join([
            "$ORIGIN churn.example.", "$TTL 1", "@ SOA ns hostmaster 1 3600 600 86400 1",
            "@ NS ns", f"ns A {self.address}",
            *(f"host{index} A 127.0.0.1" for index in range(len(ports))), ""]))
        (folder / "knot.conf").write_text(f"""\
server:
  rundir: {folder}
  listen: {self.address}@53
log:
  - target: stderr
    any: warning
database:
  storage: {folder}/db
control:
  listen: {self.socket}
zone:
  - domain: churn.example
    file: {zone}
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
    semantic-checks: off
""")
        (folder / "db").mkdir()
        self.process = subprocess.Popen(["knotd", "-c", str(folder / "knot.conf")])
        self.has_records = False

    async def control(self, *commands):
        """Runs commands of knotc in one process."""
        process = await asyncio.create_subprocess_exec(
            "knotc", "-s", str(self.socket), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        text = "".join(command + "\n" for command in commands) + "exit\n"
        output, _ = await process.communicate(text.encode())
        return process.returncode, output.decode()

    async def change(self):
        """Names other servers, with other priorities and weights."""
        chosen = random.sample(range(len(self.ports)), random.randint(2, 6))
        records = [(random.choice([0, 0, 0, 10]), random.choice([0, 1, 5, 50]), index)
                   for index in chosen]
        commands = ["zone-begin churn.example"]
        if self.has_records:
            commands.append(f"zone-unset churn.example {NAME} SRV")
        commands += [f"zone-set churn.example {NAME} 1 SRV {priority} {weight} {self.ports[index]}"
                     f" host{index}.churn.example." for priority, weight, index in records]
        commands.append("zone-commit churn.example")
        code, output = await self.control(*commands)
        if code or "error" in output:
            raise RuntimeError(f"knotc: {output}")
        self.has_records = True


class Run:
    def __init__(self):
        self.counts = {"requests": 0, "skipped": 0, "oldChoices": 0, "longRequests": 0,
                       "changes": 0}
        self.failures = []
        self.latest_choice = 0
        self.longest_delay = 0

    def fail(self, text):
        self.failures.append(text)
        if len(self.failures) < 20:
            print(text, file=sys.stderr)

    async def answer(self, reader, writer):
        """Serves a connection: answers each line with the port of the server."""
        port = writer.get_extra_info("sockname")[1]
        try:
            while await reader.readline():
                writer.write(f"{port}\n".encode())
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        writer.close()

    async def request(self, wire, path):
        begin = time.monotonic()
        try:
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(b"who\n")
            line = await asyncio.wait_for(reader.readline(), 10)
            writer.close()
            port = int(line)
        except (OSError, ValueError, asyncio.TimeoutError) as error:
            return self.fail(f"a request failed: {error!r}")
        self.counts["requests"] += 1
        age = wire.age(port, begin)
        if age == float("inf"):
            return self.fail(f"port {port} answered, which no answer has named")
        self.latest_choice = max(self.latest_choice, age)
        self.counts["oldChoices"] += age > MOMENT

    async def make_requests(self, wire, path, end):
        """Makes requests at a fixed rate."""
        tasks = set()
        next_at = time.monotonic()
        while (now := time.monotonic()) < end:
            while next_at <= now:
                next_at += 1 / RATE
                if len(tasks) >= REQUEST_LIMIT:
                    self.counts["skipped"] += 1
                    continue
                task = asyncio.create_task(self.request(wire, path))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            await asyncio.sleep(0.002)
            self.longest_delay = max(self.longest_delay, time.monotonic() - now)
        await asyncio.gather(*tasks)

    def judge(self, wire):
        """Fails if the daemon has asked too late, or has chosen by an answer of before."""
        wire.update()
        limit = SLACK + self.longest_delay
        latest = max(wire.latest_question, wire.silence(time.monotonic()))
        if latest > limit:
            self.fail(f"a question came {latest:.2f} s after the answer before had expired")
        if self.latest_choice > limit:
            self.fail(f"a server was chosen {self.latest_choice:.2f} s after the last answer that"
                      " names it was replaced")
        if self.counts["oldChoices"] > OLD_SHARE * self.counts["requests"]:
            self.fail(f"{self.counts['oldChoices']} requests were answered by former servers")
        return {"latestQuestion": round(latest, 2), "latestChoice": round(self.latest_choice, 2),
                "longestDelay": round(self.longest_delay, 2)}

    async def long_session(self, path, end):
        """Keeps one session open over all changes."""
        try:
            reader, writer = await asyncio.open_unix_connection(path)
            first = None
            while time.monotonic() < end:
                writer.write(b"who\n")
                line = await asyncio.wait_for(reader.readline(), 10)
                if not line or (first or line) != line:
                    return self.fail(f"a session was harmed: {line!r} after {first!r}")
                first = line
                self.counts["longRequests"] += 1
                await asyncio.sleep(1)
            writer.close()
        except (OSError, asyncio.TimeoutError) as error:
            self.fail(f"a session was harmed: {error!r}")


def resident(pid):
    """The resident kibibytes of a process."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    return 0


def launch(binary, folder, address):
    """Starts the daemon, for which `address` is the only name server."""
    resolv = folder / "resolv.conf"
    resolv.write_text(f"nameserver {address}\n")
    configuration = folder / "verypolld.json"
    configuration.write_text(json.dumps({
        "workers": 2, "control": {"socket": str(folder / "control")},
        "listeners": {"front": {"listen": [f"unix:{folder / 'front'}"],
                                "handler": {"type": "proxy", "upstream": "app"}}},
        "upstreams": {"app": {"servers": [{"srv": NAME}], "resolve": {"atMost": "1s"}}}}))
    script = f'mount --bind {resolv} /etc/resolv.conf && exec "$@"'
    with open(folder / "log", "w") as log:
        return subprocess.Popen(["unshare", "--mount", "sh", "-c", script, "sh", binary,
                                 "--config", str(configuration)], stderr=log)


async def churn(binary, seconds, folder):
    run = Run()
    servers = [await asyncio.start_server(run.answer, "127.0.0.1", 0, backlog=1024)
               for _ in range(SERVERS)]
    zone = Zone(folder, [server.sockets[0].getsockname()[1] for server in servers])
    daemon = None
    try:
        while not (zone.socket.exists()
                   and (await zone.control("zone-status churn.example"))[0] == 0):
            if zone.process.poll() is not None:
                raise RuntimeError("knotd has ended")
            await asyncio.sleep(0.1)
        await zone.change()
        wire, path = Wire(zone.address), str(folder / "front")
        daemon = launch(binary, folder, zone.address)
        while not os.path.exists(path):
            if daemon.poll() is not None:
                raise RuntimeError("the daemon has ended")
            await asyncio.sleep(0.1)
        end = time.monotonic() + seconds
        running = [asyncio.create_task(task) for task in (
            change_each_second(run, zone, end), run.make_requests(wire, path, end),
            *(run.long_session(path, end) for _ in range(LONG_SESSIONS)))]
        await asyncio.sleep(min(60, seconds / 3))
        early = resident(daemon.pid)
        await asyncio.gather(*running)
        late = resident(daemon.pid)
        if late > early * 1.2 + 4096:
            run.fail(f"the memory has grown from {early} KiB to {late} KiB")
        times = run.judge(wire)
        return run, {"seconds": seconds, "residentKiB": [early, late], **times, **wire.counts}
    finally:
        for process in (daemon, zone.process):
            if process:
                process.terminate()
                process.wait()
        if run.failures:
            print((folder / "log").read_text(), file=sys.stderr)


async def change_each_second(run, zone, end):
    while time.monotonic() < end - 1:
        await asyncio.sleep(1)
        await zone.change()
        run.counts["changes"] += 1


def main():
    binary, seconds = os.path.abspath(sys.argv[1]), int(sys.argv[2])
    for program in ("knotd", "knotc", "unshare"):
        if not shutil.which(program):
            sys.exit(f"{program} is not installed; run Scripts/install-dependencies test")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        run, facts = asyncio.run(churn(binary, seconds, pathlib.Path(folder)))
    print(json.dumps({**facts, **run.counts, "failures": len(run.failures)}))
    sys.exit(1 if run.failures else 0)


main()
