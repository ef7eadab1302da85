#!/usr/bin/env python3
# Runs a daemon whose upstream is a service of a real knotd, and changes the zone each second.
#
#   Tests/Programs/zone_churn.py VERYPOLLD SECONDS
#
# Meanwhile clients make 500 requests a second, and some keep a session open. Fails if a session is
# harmed, if a server answers that no zone within its time to live has named, or if the daemon's
# memory or descriptors grow. Needs root: the daemon gets a resolv.conf of its own, and knotd has
# port 53 of a loopback address. Prints a summary as JSON.
import asyncio
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

RATE = 500
SERVERS = 12
LONG_SESSIONS = 20
TIME_TO_LIVE = 1.0
# The time of a question, its answer and the change of all workers, on a busy machine.
SLACK = 1.5
NAME = "_app._tcp.churn.example."


class Zone:
    """A knotd with one zone, and the sets of servers that it has named."""

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
        self.records = []
        self.history = []  # (begin, end or None, ports)

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
        if self.records:
            commands.append(f"zone-unset churn.example {NAME} SRV")
        commands += [f"zone-set churn.example {NAME} 1 SRV {priority} {weight} {self.ports[index]}"
                     f" host{index}.churn.example." for priority, weight, index in records]
        commands.append("zone-commit churn.example")
        begin = time.monotonic()
        code, output = await self.control(*commands)
        if code or "error" in output:
            raise RuntimeError(f"knotc: {output}")
        end = time.monotonic()
        if self.history:
            self.history[-1][1] = end
        self.history.append([begin, None, {self.ports[index] for index in chosen}])
        self.history = self.history[-20:]
        self.records = records

    def age(self, port, begin, end):
        """Returns how long before a request the port was last named; 0 if it still was."""
        ages = [0 if stop is None else max(0, begin - stop)
                for start, stop, ports in self.history if port in ports and start <= end]
        return min(ages, default=float("inf"))


class Run:
    def __init__(self):
        self.counts = {"requests": 0, "longRequests": 0, "changes": 0}
        self.failures = []
        self.oldest = 0

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

    async def request(self, zone, path):
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
        age = zone.age(port, begin, time.monotonic())
        self.oldest = max(self.oldest, age)
        if age > TIME_TO_LIVE + SLACK:
            self.fail(f"port {port} answered {age:.2f} s after the last zone that names it")

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


async def churn(binary, seconds, folder):
    run = Run()
    servers = [await asyncio.start_server(run.answer, "127.0.0.1", 0) for _ in range(SERVERS)]
    zone = Zone(folder, [server.sockets[0].getsockname()[1] for server in servers])
    daemon = None
    try:
        for _ in range(100):
            if zone.socket.exists() and (await zone.control("zone-status churn.example"))[0] == 0:
                break
            await asyncio.sleep(0.1)
        await zone.change()
        resolv = folder / "resolv.conf"
        resolv.write_text(f"nameserver {zone.address}\n")
        path, log = str(folder / "front"), open(folder / "log", "w")
        configuration = folder / "verypolld.json"
        configuration.write_text(json.dumps({
            "workers": 2, "control": {"socket": str(folder / "control")},
            "listeners": {"front": {"listen": [f"unix:{path}"],
                                    "handler": {"type": "proxy", "upstream": "app"}}},
            "upstreams": {"app": {"servers": [{"srv": NAME}], "resolve": {"atMost": "1s"}}}}))
        script = f'mount --bind {resolv} /etc/resolv.conf && exec "$@"'
        daemon = subprocess.Popen(["unshare", "--mount", "sh", "-c", script, "sh", binary,
                                   "--config", str(configuration)], stderr=log)
        while not os.path.exists(path):
            await asyncio.sleep(0.1)
        begin = time.monotonic()
        end = begin + seconds
        tasks = {asyncio.create_task(run.long_session(path, end)) for _ in range(LONG_SESSIONS)}
        changing = asyncio.create_task(change_each_second(run, zone, end))
        next_at, early = begin, None
        while (now := time.monotonic()) < end:
            while next_at <= now:
                task = asyncio.create_task(run.request(zone, path))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                next_at += 1 / RATE
            if early is None and now > begin + min(60, seconds / 3):
                early = resident(daemon.pid)
            await asyncio.sleep(0.002)
        await asyncio.gather(*tasks, changing)
        late = resident(daemon.pid)
        if early and late > early * 1.2 + 4096:
            run.fail(f"the memory has grown from {early} KiB to {late} KiB")
        return run, {"seconds": seconds, "residentKiB": [early, late],
                     "oldestAnswer": round(run.oldest, 2)}
    finally:
        for process in (daemon, zone.process):
            if process:
                process.terminate()
                process.wait()
        if run.failures and os.path.exists(folder / "log"):
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
