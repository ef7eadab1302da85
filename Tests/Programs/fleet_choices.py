"""Connects from many source addresses, and shows which front doors and servers they got.

Arguments: the address, the port, and the source addresses, as "198.51.100." and their number.

The machine must have the source addresses 10 and up. Fails if a source got several servers.
"""
import collections
import socket
import sys

address, port, network, count = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
ROUNDS = 6
doors, servers, by_source = collections.Counter(), collections.Counter(), {}
for _ in range(ROUNDS):
    for number in range(10, 10 + count):
        source = f"{network}{number}"
        with socket.create_connection((address, port), 5, (source, 0)) as client:
            server, door = client.makefile().readline().split()
        doors[door] += 1
        servers[server] += 1
        by_source.setdefault(source, (set(), set()))
        by_source[source][0].add(server)
        by_source[source][1].add(door)
several = sum(1 for chosen, _ in by_source.values() if len(chosen) > 1)
spread = sum(1 for _, used in by_source.values() if len(used) > 1)
print(f"{count} sources, {ROUNDS * count} sessions; doors: {dict(sorted(doors.items()))}; "
      f"servers: {dict(sorted(servers.items()))}")
print(f"{spread} sources used several doors; {several} got several servers")
sys.exit(several > 0)
