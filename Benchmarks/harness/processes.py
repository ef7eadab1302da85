"""Servers and loads as processes, each on its own core; none of them outlives this one."""
import atexit
import contextlib
import ctypes
import json
import os
import pathlib
import re
import shlex
import signal
import string
import subprocess
import sys
import tempfile
import threading
import time

from . import machine
from .scenarios import BUILD, ROOT

LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1
CPUCLOCK_SCHED = 2
CONFIGURATIONS = ROOT / "peers" / "conf"
ports = iter(range(7001, 20000))


class Process:
    """A process pinned to one or more cores; its standard error is kept for failure messages."""

    running = []

    def __init__(self, command, cores, environment=None, **streams):
        def prepare():
            os.sched_setaffinity(0, cores)
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

        self.command = command
        self.errors = tempfile.TemporaryFile("w+")
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, **streams}
        self.process = subprocess.Popen(
            command, preexec_fn=prepare, stderr=self.errors, text=True,
            env={**os.environ, **(environment or {})}, **streams)
        Process.running.append(self)

    def fail(self, what):
        self.stop()
        self.errors.seek(0)
        raise RuntimeError(f"{' '.join(self.command)}: {what}\n{self.errors.read()[-1000:]}")

    def tree(self):
        """Returns the process and all of its descendants, parents first."""
        found = [self.process.pid]
        for pid in found:
            for task in machine.names(f"/proc/{pid}/task"):
                found += map(int, machine.read(f"/proc/{pid}/task/{task}/children").split())
        return found

    def kill(self):
        """Kills parents first, because some parents would restart their children."""
        tree = self.tree() if self.process.poll() is None else []
        for pid in tree:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return tree

    def stop(self):
        _, *orphans = self.kill() or [None]
        self.process.wait()
        for pid in orphans:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
        if self in Process.running:
            Process.running.remove(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


@atexit.register
def stop_all():
    for process in [*Process.running]:
        process.stop()


class Server(Process):
    """A server that listens on its own port.

    Its command is split into words like a shell command. These placeholders are replaced in it:
    {port}, the port to listen on; {backend}, the backend's port; and {folder}, a directory with
    copies of the files of peers/conf, in which the placeholders are replaced as well.
    """

    core = machine.SERVER_CORE

    def __init__(self, name, command, backend=None, environment=None, uses_all_cores=False):
        self.name, self.port = name, next(ports)
        self.folder = tempfile.TemporaryDirectory(prefix="verypoll-benchmark-")
        values = {"port": self.port, "backend": backend, "folder": self.folder.name}
        texts = {name.upper(): value for name, value in values.items()} | {"BUILD": BUILD}
        for file in CONFIGURATIONS.iterdir():
            filled = string.Template(file.read_text()).safe_substitute(texts)
            pathlib.Path(self.folder.name, file.name).write_text(filled)
        words = [word.format(**values) for word in shlex.split(command)]
        cores = {machine.SERVER_CORE, machine.LOAD_CORE} if uses_all_cores else {self.core}
        super().__init__(words, cores, environment, cwd=self.folder.name)
        end = time.monotonic() + 10
        while not self.is_listening():
            if self.process.poll() is not None or time.monotonic() > end:
                self.fail(f"did not listen on port {self.port}")
            time.sleep(0.01)

    def stop(self):
        super().stop()
        self.folder.cleanup()

    def is_listening(self):
        listening = f":{self.port:04X} 0"
        tables = machine.read("/proc/net/tcp") + machine.read("/proc/net/tcp6")
        return any(listening in line and line.split()[3] == "0A" for line in tables.splitlines())

    def cpu_seconds(self):
        """Returns the CPU time of all its threads, including ended ones."""
        total = 0
        for pid in self.tree():
            with contextlib.suppress(OSError):
                total += time.clock_gettime(~pid << 3 | CPUCLOCK_SCHED)
        return total

    def thread_seconds(self):
        """Returns the CPU time of each of its threads."""
        return {thread: spent for thread, (spent, _) in self.schedule().items()}

    def waited_seconds(self):
        """Returns how long the process was runnable but waited for the core."""
        waits = [waited for _, waited in self.schedule().values()]
        # Threads of one server wait for each other, which is not a disturbance.
        return waits[0] if len(waits) == 1 else 0

    def schedule(self):
        """Returns the seconds that each thread has spent on a core and has waited for one."""
        times = {}
        for pid in self.tree():
            for thread in machine.names(f"/proc/{pid}/task"):
                if fields := machine.read(f"/proc/{pid}/task/{thread}/schedstat").split():
                    times[thread] = int(fields[0]) / 1e9, int(fields[1]) / 1e9
        return times

    def descriptors(self):
        return sum(len(machine.names(f"/proc/{pid}/fd")) for pid in self.tree())

    def memory(self, kind):
        """Returns the bytes of one kind from smaps_rollup."""
        rollups = [machine.read(f"/proc/{pid}/smaps_rollup") for pid in self.tree()]
        found = [re.search(rf"^{kind}: *(\d+) kB", rollup, re.MULTILINE) for rollup in rollups]
        return sum(int(each[1]) * 1024 for each in found if each)


class Backend(Server):
    """The server behind the proxies; it shares its core with the load."""

    core = machine.LOAD_CORE

    def __init__(self, command):
        super().__init__("backend", command)


class Load(Process):
    """A load that has connected and waits for its start signal; see load/load.h."""

    def __init__(self, command, longest):
        super().__init__(command, {machine.LOAD_CORE}, stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE)
        self.watch = threading.Timer(longest, self.kill)
        self.watch.start()
        if self.process.stdout.readline() != "READY\n":
            self.fail("did not connect")

    def run(self):
        """Returns the results for each of the servers, in port order."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            self.fail("did not finish")
        return json.loads(line)

    def finish(self):
        """Closes the connections."""
        self.process.stdin.close()
        if self.process.wait() != 0:
            self.fail("failed at the end")
        self.errors.seek(0)
        print(self.errors.read()[-1000:], end="", file=sys.stderr)

    def stop(self):
        self.watch.cancel()
        super().stop()
