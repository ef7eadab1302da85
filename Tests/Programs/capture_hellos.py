#!/usr/bin/env python3
"""Captures the TLS ClientHello of real client programs.

Usage: capture_hellos.py DIRECTORY

The script runs each client against a listening socket of its own. It reads until the whole
ClientHello has arrived, writes all bytes read to DIRECTORY/NAME.bin and closes the connection
without a TLS answer.

If a client is missing or sends no ClientHello within 10 seconds, the script reports that client,
continues with the next one and exits with 1. Tests/Hellos/README.md lists what to install.
"""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

SERVER_NAME = "shop.example.com"
PATIENCE = 10  # seconds, from the start of a client until its ClientHello is complete
HANDSHAKE_RECORD = 22
CLIENT_HELLO = b"\x01"

PYTHON_CLIENT = """
import socket, ssl, sys
context = ssl.create_default_context()
context.set_alpn_protocols(["http/1.1"])
with socket.create_connection(("127.0.0.1", int(sys.argv[2]))) as connection:
    context.wrap_socket(connection, server_hostname=sys.argv[1])
"""
BROWSER_CLIENT = """
import sys, curl_cffi
name, port, browser = sys.argv[1:]
options = {curl_cffi.CurlOpt.RESOLVE: [f"{name}:{port}:127.0.0.1"]}
curl_cffi.get(f"https://{name}:{port}/", impersonate=browser, curl_options=options)
"""
GO_CLIENT = """
package main
import ("crypto/tls"; "os")
func main() {
    config := tls.Config{ServerName: os.Args[1], NextProtos: []string{"h2", "http/1.1"}}
    tls.Dial("tcp", "127.0.0.1:"+os.Args[2], &config)
}
"""


def build_go_client(folder):
    """Compiles the Go client in advance, because compiling may take longer than PATIENCE."""
    source, program = folder / "client.go", folder / "client"
    source.write_text(GO_CLIENT)
    settings = {"GOPROXY": "off", "GOTOOLCHAIN": "local", "GOCACHE": str(folder / "cache")}
    if shutil.which("go"):
        subprocess.run(["go", "build", "-o", program, source], env=os.environ | settings)
    return program


def commands(port, go_client):
    """The command line of each client, by the name of its file."""
    url = f"https://{SERVER_NAME}/"
    openssl = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}"]
    named = [*openssl, "-servername", SERVER_NAME, "-alpn", "h2,http/1.1"]
    browser = [sys.executable, "-c", BROWSER_CLIENT, SERVER_NAME, str(port)]
    return {
        "openssl": named,
        "openssl-tls12": [*named, "-tls1_2"],
        "openssl-no-name": [*openssl, "-noservername"],
        "curl": ["curl", "--silent", "--http2", "--connect-to", f"::127.0.0.1:{port}", url],
        "python": [sys.executable, "-c", PYTHON_CLIENT, SERVER_NAME, str(port)],
        "gnutls": ["gnutls-cli", "--sni-hostname", SERVER_NAME, "--alpn", "h2",
                   "--alpn", "http/1.1", "--port", str(port), "127.0.0.1"],
        # wget has no option to connect elsewhere, so this script poses as its proxy.
        "wget": ["wget", "--quiet", "--tries=1", "--output-document=-", "-e", "use_proxy=yes",
                 "-e", f"https_proxy=http://127.0.0.1:{port}/", url],
        "chrome": [*browser, "chrome152"],
        "firefox": [*browser, "firefox155"],
        "go": [go_client, SERVER_NAME, str(port)],
    }


def contains_hello(data):
    """Whether the records in the data contain a whole ClientHello, which may span records."""
    message = b""
    while len(data) >= 5:
        end = 5 + int.from_bytes(data[3:5], "big")
        message += data[5:end]
        if data[0] != HANDSHAKE_RECORD or message[:1] not in (b"", CLIENT_HELLO):
            raise ConnectionError(f"the client did not send a ClientHello but {data[:16].hex()}")
        if len(message) >= 4 and len(message) >= 4 + int.from_bytes(message[1:4], "big"):
            return len(data) >= end
        data = data[end:]
    return False


def read_until(connection, deadline, is_complete):
    data = b""
    while not is_complete(data):
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        received = connection.recv(65536)
        if not received:
            raise ConnectionError(f"the client closed the connection after {len(data)} bytes")
        data += received
    return data


def capture(name, go_client):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = commands(listener.getsockname()[1], go_client)[name]
        null = subprocess.DEVNULL
        client = subprocess.Popen(command, stdin=null, stdout=null, stderr=null)
        try:
            deadline = time.monotonic() + PATIENCE
            listener.settimeout(PATIENCE)
            connection, _ = listener.accept()
            with connection:
                if name == "wget":
                    read_until(connection, deadline, lambda data: data.endswith(b"\r\n\r\n"))
                    connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                return read_until(connection, deadline, contains_hello)
        finally:
            client.kill()
            client.wait()


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: capture_hellos.py DIRECTORY")
    directory = pathlib.Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for variable in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[variable]  # curl would connect to that proxy
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        go_client = build_go_client(pathlib.Path(folder))
        for name in commands(0, go_client):
            try:
                hello = capture(name, go_client)
                (directory / f"{name}.bin").write_bytes(hello)
                print(f"{name}: {len(hello)} bytes")
            except OSError as error:
                failed = True
                print(f"{name}: no ClientHello captured: {error}", file=sys.stderr)
    sys.exit(failed)


if __name__ == "__main__":
    main()
