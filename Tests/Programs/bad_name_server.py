"""A name server that misbehaves, on a port of 127.0.0.1 that it prints.

The argument says how:

silent           receives questions and never answers
garbage          answers with random bytes, wrong identifiers, names without end and cut messages
mixed            sends the same, and then the right answer
nameless         sends the SRV record only, and receives other questions and never answers
refuses-edns     rejects questions that use RFC 6891, and answers the others
truncates        truncates all answers, and has the whole ones on TCP
stalls           truncates all answers, and accepts TCP connections but does not answer there
closes           truncates all answers, and closes TCP connections
truncates-twice  truncates the answers on TCP as well
slow             sends the answers on TCP byte by byte

The right answer is one SRV record, 0 5 8080 one.example.test, with its address 192.0.2.1.
"""
import socket
import struct
import sys
import threading

import dns_messages

POINTER = b"\xc0\x0c"
ANSWER, TRUNCATED = 0x8180, dns_messages.TRUNCATED


def name(text):
    return b"".join(bytes([len(part)]) + part.encode() for part in text.split(".")) + b"\0"


def record(owner, kind, data):
    return owner + struct.pack(">HHIH", kind, 1, 60, len(data)) + data


def answer(query, flags=ANSWER, with_records=True, with_address=True):
    question = query[12:dns_messages.question_end(query)]
    records, counts = b"", (1, 0, 0, 0)
    if with_records:
        target = name("one.example.test")
        records = record(POINTER, dns_messages.SERVICE, struct.pack(">HHH", 0, 5, 8080) + target)
        if with_address:
            records += record(target, 1, socket.inet_aton("192.0.2.1"))
        counts = (1, 1, 0, int(with_address))
    return query[:2] + struct.pack(">HHHHH", flags, *counts) + question + records


def answer_datagrams(server, mode):
    while True:
        query, sender = server.recvfrom(4096)
        if mode in ("garbage", "mixed"):
            for message in dns_messages.garbage(query, answer(query)):
                server.sendto(message, sender)
        if mode == "mixed":
            server.sendto(answer(query), sender)
        elif mode == "nameless":
            if dns_messages.kind(query) == dns_messages.SERVICE:
                server.sendto(answer(query, with_address=False), sender)
        elif mode == "refuses-edns":
            is_extended = query[10:12] != b"\0\0"
            flags = ANSWER | 1 if is_extended else ANSWER
            server.sendto(answer(query, flags, not is_extended), sender)
        elif mode not in ("silent", "garbage"):
            server.sendto(answer(query, ANSWER | TRUNCATED, False), sender)


def answer_stream(client, mode):
    with client, client.makefile("rb") as questions:
        while mode != "closes":
            head = questions.read(2)
            if len(head) < 2:
                return
            query = questions.read(struct.unpack(">H", head)[0])
            if mode == "stalls":
                continue
            flags = ANSWER | TRUNCATED if mode == "truncates-twice" else ANSWER
            message = answer(query, flags)
            message = struct.pack(">H", len(message)) + message
            if mode == "slow":
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for byte in message:
                    client.sendall(bytes([byte]))
            else:
                client.sendall(message)


def main():
    mode = sys.argv[1]
    while True:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            server.bind(listener.getsockname())
            break
        except OSError:  # The port is in use for datagrams.
            listener.close()
    listener.listen()
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=answer_datagrams, args=(server, mode), daemon=True).start()
    while True:
        client, _ = listener.accept()
        threading.Thread(target=answer_stream, args=(client, mode), daemon=True).start()


main()
