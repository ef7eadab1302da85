"""Servers and loads as processes, each on its core, none of which outlives this one."""
import atexit
import ctypes
import json
import os
import signal
import subprocess
import tempfile
import threading
import time

from . import machine

LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1
ports = iter(range(7001, 20000))


class Process:
    """A process pinned to a core; its errors are kept for what is said when it fails."""

    running = []

    def __init__(self, command, core, environment=None, **streams):
        def prepare():
            os.sched_setaffinity(0, {core})
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

    def stop(self):
        self.process.kill()
        self.process.wait()
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
    """A server that listens on a port of its own."""

    def __init__(self, name, command, environment=None):
        self.name, self.port = name, next(ports)
        super().__init__(command.format(port=self.port).split(), machine.SERVER_CORE, environment)
        end = time.monotonic() + 10
        while not self.is_listening():
            if self.process.poll() is not None or time.monotonic() > end:
                self.fail(f"does not listen on port {self.port}")
            time.sleep(0.01)

    def is_listening(self):
        listening = f":{self.port:04X} 0"
        tables = machine.read("/proc/net/tcp") + machine.read("/proc/net/tcp6")
        return any(listening in line and line.split()[3] == "0A" for line in tables.splitlines())

    def usage(self):
        """The CPU seconds of its threads, and how long they were kept waiting for the core."""
        run = waited = threads = 0
        folder = f"/proc/{self.process.pid}/task"
        for thread in os.listdir(folder):
            fields = machine.read(f"{folder}/{thread}/schedstat").split()
            if fields:
                run, waited = run + int(fields[0]) / 1e9, waited + int(fields[1]) / 1e9
                threads += 1
        # Threads of one server wait for each other, which is no disturbance.
        return run, waited if threads == 1 else 0


class Load(Process):
    """A load that has connected and waits for its start; see load/load.h."""

    def __init__(self, command, longest):
        super().__init__(command, machine.LOAD_CORE, stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE)
        self.watch = threading.Timer(longest, self.process.kill)
        self.watch.start()
        if self.process.stdout.readline() != "READY\n":
            self.fail("does not connect")

    def run(self):
        """What each of the servers did, in the order of the ports."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            self.fail("has not finished")
        return json.loads(line)

    def finish(self):
        """Closes the connections."""
        self.process.stdin.close()
        if self.process.wait() != 0:
            self.fail("failed at the end")

    def stop(self):
        self.watch.cancel()
        super().stop()
