"""Connects alternately to port 7080 and to a socket file until the file /run/end exists.

Prints "started", and at the end the number of connections and the first failures.
"""
import os, socket, sys
print("started", flush=True)
count, failures = 0, []
while not os.path.exists("/run/end"):
    for family, place in (
        (socket.AF_INET, ("127.0.0.1", 7080)),
        (socket.AF_UNIX, "/run/verypolld/front.sock"),
    ):
        with socket.socket(family) as s:
            try:
                s.connect(place)
                count += 1
            except OSError as error:
                failures.append(f"{place}: {error}")
print("done", count, "failures:", failures[:5])
