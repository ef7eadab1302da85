"""Clients of port 8080 that connect all the time; each exchanges 20 echoes of 1,000 bytes.

Prints "begun" once the first client has finished. When the file /tmp/over exists, prints how many
clients were answered, lost, refused and late, and exits.
"""
import collections, os, socket, threading, time

tally, lock, end = collections.Counter(), threading.Lock(), time.monotonic() + 900

def visit():
    with socket.create_connection(("127.0.0.1", 8080), timeout=60) as client:
        for _ in range(20):
            client.sendall(b"?" * 1000)
            count = 0
            while count < 1000:
                got = len(client.recv(1000))
                if got == 0:
                    return "lost"
                count += got
    return "answered"

def come():
    while not os.path.exists("/tmp/over") and time.monotonic() < end:
        try:
            outcome = visit()
        except ConnectionRefusedError:
            outcome = "refused"
        except TimeoutError:
            outcome = "late"
        except ConnectionError:
            outcome = "lost"
        with lock:
            tally[outcome] += 1
            if sum(tally.values()) == 1:
                print("begun", flush=True)
        time.sleep(0.005)

clients = [threading.Thread(target=come) for _ in range(8)]
for client in clients:
    client.start()
for client in clients:
    client.join()
names = "answered", "lost", "refused", "late"
print(*(f"{name} {tally[name]}" for name in names), sep=", ")
