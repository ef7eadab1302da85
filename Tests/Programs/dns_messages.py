"""Parts of DNS messages (RFC 1035) for the programs that observe or disturb name servers."""
import os
import struct

SERVICE = 33
TRUNCATED = 0x0200


def question(name, kind=SERVICE, size=1232):
    """Returns a question that allows answers of `size` bytes (RFC 6891), with a new identifier."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.strip(".").split("."))
    extension = b"\0" + struct.pack(">HHIH", 41, size, 0, 0)
    return (os.urandom(2) + struct.pack(">HHHHH", 0x0100, 1, 0, 0, 1)
            + labels + b"\0" + struct.pack(">HH", kind, 1) + extension)


def name_end(message, offset):
    """Returns the end of the name at the offset."""
    while message[offset]:
        if message[offset] >= 0xC0:
            return offset + 2
        offset += 1 + message[offset]
    return offset + 1


def question_end(message):
    """Returns the end of the question of a message with one."""
    return name_end(message, 12) + 4


def kind(message):
    """Returns the type of the records that are asked for."""
    end = question_end(message)
    return struct.unpack(">H", message[end - 4:end - 2])[0]


def services(message):
    """Yields the priority, weight and port, and the time to live, of each SRV record."""
    offset = question_end(message)
    for _ in range(struct.unpack(">H", message[6:8])[0]):
        start = name_end(message, offset)
        kind, _, time_to_live, size = struct.unpack(">HHIH", message[start:start + 10])
        if kind == SERVICE:
            yield struct.unpack(">HHH", message[start + 10:start + 16]), time_to_live
        offset = start + 10 + size
