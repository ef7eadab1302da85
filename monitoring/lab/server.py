"""An echo server on a port of 127.0.0.1 that its parent reserves; prints "ready"."""
import selectors
import socket
import sys

loop = selectors.DefaultSelector()
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(1024)
loop.register(listener, selectors.EVENT_READ)
print("ready", flush=True)
while True:
    for key, _ in loop.select():
        if key.fileobj is listener:
            loop.register(listener.accept()[0], selectors.EVENT_READ)
            continue
        try:
            data = key.fileobj.recv(1 << 16)
            key.fileobj.sendall(data)
        except OSError:
            data = b""
        if not data:
            loop.unregister(key.fileobj)
            key.fileobj.close()
