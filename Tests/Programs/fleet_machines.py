"""The machines of the fleet lab: namespaces and booted systems on one switch.

All of them end with the lab's process.
"""
import json
import pathlib
import re
import select
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAMS = ROOT / "Tests" / "Programs"
# The longest that anything may take on a busy machine, in seconds.
PATIENCE = 180


class Failure(Exception):
    """A result that the lab did not expect."""


def line_of(process, subject):
    """Returns the next line of a program's output, which must not be buffered here."""
    ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
    line = process.stdout.readline().decode() if ready else ""
    if not line:
        raise Failure(f"{subject} printed nothing")
    return line.rstrip("\n")


class Machine:
    """A network namespace."""

    inside = ("-n",)

    def __init__(self, name):
        self.name = name
        self.holder = self.spawn(
            ["unshare", "--net", "sh", "-c", "echo up && exec sleep infinity"])
        line_of(self.holder, name)
        self.pid = self.holder.pid
        self.must("ip link set lo up")

    def spawn(self, words, **options):
        return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *map(str, words)],
                                stdout=subprocess.PIPE, bufsize=0, **options)

    def start(self, *words, **options):
        """Starts a program on the machine."""
        return self.spawn(["nsenter", "-t", self.pid, *self.inside, "--", *words], **options)

    def run(self, script):
        """Runs a shell script; returns its exit status and its output."""
        process = self.start("bash", "-euc", f"exec 2>&1\n{script}", stdin=subprocess.DEVNULL)
        try:
            output, _ = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Failure(f"{self.name}: no end of:\n{script}") from None
        return process.returncode, output.decode()

    def must(self, script):
        status, output = self.run(script)
        if status:
            raise Failure(f"{self.name}: exit status {status} of:\n{script}\n{output}")
        return output

    def close(self):
        self.holder.terminate()
        self.holder.wait()


class System(Machine):
    """A container with a booted systemd, and the daemon as `make install` installs it."""

    inside = ("-r", "-w", "-m", "-p", "-n", "-u", "-i")

    def __init__(self, name, setup):
        self.name = name
        self.holder = self.spawn([ROOT / "Scripts/systemd-lab", "--setup", setup],
                                 stdin=subprocess.DEVNULL)
        self.pid = None

    def wait(self):
        """Waits until the system has booted."""
        self.pid = int(line_of(self.holder, self.name).split()[1])
        self.must(f"hostname {self.name}")


def setup(binaries, prometheus, hosts, keys):
    """Returns the shell command that prepares the root of a system."""
    return f"""
        make -s -C '{ROOT}' install DESTDIR="$ROOT" PREFIX=/usr BINARIES='{binaries}' >/dev/null
        # Programs that are not linked statically need Swift's libraries, which a sandbox may hide.
        ldd '{binaries}/verypolld' | awk '$3 ~ /swift/ {{ print $3 }}' |
            xargs -r cp -t "$ROOT/usr/local/lib"
        ldconfig -r "$ROOT"
        systemd-sysusers --root="$ROOT" 2>/dev/null
        cp '{prometheus}'/prom* "$ROOT/usr/bin/"
        printf '%s' '{hosts}' >"$ROOT/etc/hosts"
        install -d -m 0700 "$ROOT/root/.ssh"
        cp '{keys}'/* "$ROOT/root/.ssh/"
        ssh-keygen -q -A -f "$ROOT"
        mkdir -p "$ROOT/etc/ssh/sshd_config.d"
        echo 'UsePAM no' >"$ROOT/etc/ssh/sshd_config.d/lab.conf"
        # A machine has its own files only.
        rm -f "$ROOT"/etc/verypolld/* "$ROOT"/etc/keepalived/keepalived.conf
        """


def make_keys(folder):
    """Makes the administrator's key for SSH."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{folder}/id_ed25519"],
                   check=True)
    shutil.copy(f"{folder}/id_ed25519.pub", f"{folder}/authorized_keys")
    pathlib.Path(folder, "config").write_text(
        "StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nLogLevel ERROR\n")


class Fleet:
    """Three front doors, an administrator's machine, three servers, a router and a client."""

    SYSTEMS = {"front-1": "192.0.2.11", "front-2": "192.0.2.12", "front-3": "192.0.2.13",
               "admin": "192.0.2.31"}
    SERVERS = {"app-1": "192.0.2.21", "app-2": "192.0.2.22", "app-3": "192.0.2.23"}

    def __init__(self, binaries, prometheus):
        self.switch = Machine("switch")
        self.machines = {name: Machine(name) for name in [*self.SERVERS, "router", "client"]}
        hosts = "127.0.0.1 localhost\n" + "".join(
            f"{address} {name}\n" for name, address in self.SYSTEMS.items())
        with tempfile.TemporaryDirectory(prefix="fleet-") as keys:
            make_keys(keys)
            command = setup(binaries, prometheus, hosts, keys)
            systems = {name: System(name, command) for name in self.SYSTEMS}
            self.machines.update(systems)
            for system in systems.values():
                system.wait()
        self.connect()

    def __getitem__(self, name):
        return self.machines[name]

    def plug(self, name, address, interface="eth0"):
        """Connects a machine to the switch."""
        port = f"{name}-{interface}"[:15]
        self.switch.must(
            f"ip link add {port} type veth peer name {interface} netns {self[name].pid}\n"
            f"ip link set {port} master lan up")
        self[name].must(f"ip addr add {address}/24 dev {interface}\nip link set {interface} up")

    def connect(self):
        self.switch.must("ip link add lan type bridge forward_delay 0 mcast_snooping 0\n"
                         "ip link set lan up")
        for name, address in [*self.SYSTEMS.items(), *self.SERVERS.items()]:
            self.plug(name, address)
            self[name].must("ip route add default via 192.0.2.1")
        self.plug("router", "192.0.2.1")
        self.switch.must(f"ip link add name wan type veth peer name wan-peer\n"
                         f"ip link set wan netns {self['router'].pid}\n"
                         f"ip link set wan-peer netns {self['client'].pid}")
        self["router"].must("ip addr add 198.51.100.1/24 dev wan\nip link set wan up\n"
                            "sysctl -qw net.ipv4.ip_forward=1")
        self["client"].must("ip link set wan-peer name eth0\nip link set eth0 up\n"
                            "for n in $(seq 2 254); do ip addr add 198.51.100.$n/24 dev eth0; done"
                            "\nip route add default via 198.51.100.1")
        for name in self.SERVERS:
            line_of(self[name].start(sys.executable, PROGRAMS / "fleet_server.py", name, 8080),
                    name)
        for name in self.SYSTEMS:
            self[name].must("systemctl start ssh")

    def unplug(self, name):
        self.switch.must(f"ip link set {name}-eth0 down")

    def replug(self, name):
        self.switch.must(f"ip link set {name}-eth0 up")

    def close(self):
        for machine in [*self.machines.values(), self.switch]:
            machine.close()


class Clients:
    """Clients that use an address all the time; see fleet_client.py."""

    def __init__(self, machine, address, count):
        self.process = machine.start(sys.executable, PROGRAMS / "fleet_client.py", address, 8080,
                                     count, stdin=subprocess.PIPE)
        self.send("quiet")

    def send(self, word):
        self.process.stdin.write(f"{word}\n".encode())
        lines = [line_of(self.process, "the client")]
        while lines[-1] != "ready":
            lines.append(line_of(self.process, "the client"))
        return lines[:-1]

    def report(self):
        """Returns the counts since the last report."""
        return json.loads(self.send("report")[0])

    def close(self):
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()


def blocks(document):
    """Returns the shell blocks of a document, as (step, machines, commands, shown output)."""
    pattern = re.compile(r"<!-- step: ([\w-]+) -->\n+```sh\n# ([\w-]+(?:, [\w-]+)*)\n(.*?)```\n"
                         r"(?:\n+```console\n(.*?)```\n)?", re.S)
    found = [(step, machines.split(", "), commands, shown or None)
             for step, machines, commands, shown in pattern.findall(document)]
    if len(found) != document.count("```sh\n"):
        raise Failure("a block of the document has no step or no machine")
    return found


def form(text):
    """Returns the lines with # for each number and its unit."""
    return [" ".join(re.sub(r"[0-9][0-9.]*[A-Za-z%]*", "#", line).split())
            for line in text.splitlines()]

