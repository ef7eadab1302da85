"""Changes the addresses of a service on port 8000 while clients connect.

Run it as root in the lab container, with verypolld installed. Prints a line for each step. Exits
with 1 unless every connection was answered and its one long session survived.
"""
import json
import socket
import subprocess
import sys
import threading

FILE = "/etc/verypolld/verypolld.json"
PATIENCE = 60
faults = []


def run(*words):
    return subprocess.run(words, capture_output=True, text=True)


def configure(*addresses):
    echo = {"listen": list(addresses), "handler": {"type": "echo"}}
    text = json.dumps({"restart": {"keepSessions": True}, "listeners": {"echo": echo}})
    with open(FILE, "w") as file:
        file.write(text)


class Clients:
    """Clients that connect to an address one after another."""

    def __init__(self, address):
        self.address = address
        self.answered = 0
        self.failures = []
        self.ends = False
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        while not self.ends:
            try:
                with socket.create_connection((self.address, 8000), timeout=PATIENCE) as client:
                    client.sendall(b"x")
                    if client.recv(1) == b"x":
                        self.answered += 1
                    else:
                        self.failures.append("no answer")
            except OSError as error:
                self.failures.append(str(error))

    def wait_for_more(self, count=50):
        """Waits until `count` more connections are answered or one fails."""
        wanted = self.answered + count
        condition = threading.Event()
        while self.answered < wanted and not self.failures and self.thread.is_alive():
            condition.wait(0.01)

    def end(self):
        self.ends = True
        self.thread.join()


def step(name, addresses, change, succeeds=True):
    clients = [Clients(address) for address in addresses]
    for one in clients:
        one.wait_for_more()
    result = change()
    for one in clients:
        one.wait_for_more()
        one.end()
    failures = [failure for one in clients for failure in one.failures]
    if failures or (result.returncode == 0) != succeeds:
        faults.append(name)
    held.sendall(b"h")
    if held.recv(1) != b"h":
        faults.append(name + ": the session was lost")
    print(name, result.returncode, result.stderr.strip(), sum(one.answered for one in clients),
          len(failures), failures[:3], flush=True)


def restart():
    return run("systemctl", "restart", "verypolld")


def reload():
    return run("verypollctl", "reload")


configure("127.0.0.1:8000", "[::1]:8000")
run("systemctl", "start", "verypolld")
held = socket.create_connection(("127.0.0.1", 8000), timeout=PATIENCE)
for number in range(3):
    step(f"restart {number}", ["127.0.0.1", "::1"], restart)
for change in restart, reload:
    for address in "0.0.0.0:8000", "127.0.0.1:8000", "[::]:8000", "127.0.0.1:8000":
        configure(address)
        step(f"{change.__name__} to {address}", ["127.0.0.1"], change)

# A failed start must preserve all sockets and sessions for the next start.
with socket.create_server(("127.0.0.1", 8001)):
    configure("127.0.0.1:8000", "127.0.0.1:8001")
    assert restart().returncode != 0, "the start should have failed"
step("a port that was in use", ["127.0.0.1"], lambda: run("systemctl", "start", "verypolld"))
with open(FILE, "w") as file:
    file.write('{"listeners": {')
assert restart().returncode != 0, "the start should have failed"
configure("127.0.0.1:8000")
step("a syntax error", ["127.0.0.1"], lambda: run("systemctl", "start", "verypolld"))
print("faults:", faults)
sys.exit(1 if faults else 0)
