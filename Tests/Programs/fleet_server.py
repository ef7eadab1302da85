"""A server that sends its name and its client's address as a line, and then sends back all bytes.

Arguments: the name, and the port.
"""
import asyncio
import contextlib
import sys


async def serve(reader, writer):
    address = writer.get_extra_info("peername")[0]
    with contextlib.suppress(OSError):
        writer.write(f"{sys.argv[1]} {address}\n".encode())
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.close()


async def main():
    server = await asyncio.start_server(serve, port=int(sys.argv[2]), backlog=1024)
    print("ready", flush=True)
    await server.serve_forever()


asyncio.run(main())
