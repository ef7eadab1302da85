"""Opens sessions, keeps them silent until a line of standard input, and counts those that are lost.

Arguments: the address, the port, and the number of sessions.
"""
import socket
import sys

address, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
held, lost = [], 0
for _ in range(count):
    client = socket.create_connection((address, port), 5)
    stream = client.makefile("rwb")
    stream.readline()
    held.append((client, stream))
print("open", flush=True)
sys.stdin.readline()
for client, stream in held:
    try:
        stream.write(b"x")
        stream.flush()
        lost += stream.read(1) != b"x"
    except OSError:
        lost += 1
print(lost, flush=True)
