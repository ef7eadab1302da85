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


def error(query, code):
    """Returns the answer to a question that has only an error code."""
    flags = struct.pack(">H", 0x8180 | code)
    return query[:2] + flags + struct.pack(">HHHH", 1, 0, 0, 0) + query[12:question_end(query)]


def truncated(query):
    """Returns an answer without records, which demands that the question is asked over TCP."""
    return error(query, TRUNCATED)


def code(message):
    """Returns the error code of an answer: 0 none, 2 SERVFAIL, 3 NXDOMAIN."""
    return message[3] & 15


def is_truncated(message):
    return struct.unpack(">H", message[2:4])[0] & TRUNCATED != 0


def garbage(query, right):
    """Yields messages that are no answer to a question.

    Some are parts of the right answer, or differ from it in the identifier or the name. Others have
    names that lead to themselves or nowhere, and wrong counts and sizes.
    """
    yield os.urandom(100)
    yield query[:2] + os.urandom(200)
    yield b""
    yield query[:1]
    yield query
    yield bytes([query[0] ^ 1]) + right[1:]
    yield right[:13] + b"x" + right[14:]
    end = question_end(query)
    head = query[:2] + struct.pack(">HHHHH", 0x8180, 1, 1, 0, 0)
    fields = struct.pack(">HHIHHHH", SERVICE, 1, 60, 8, 0, 0, 1)
    # A pointer to itself, to the end, to a later pointer, and a chain to the longest name.
    for pointer in (0xC000 + end, 0xFFFF, 0xC000 + end + 2):
        yield head + query[12:end] + struct.pack(">HH", pointer, 0xC000 + end) + fields
    yield head + query[12:end] + b"\xc0\x0c" + fields + struct.pack(">H", 0xC000 + end + 18)
    yield head + query[12:end] + (b"\x3f" + b"x" * 63) * 5 + b"\0" + fields + b"\0"
    yield head + query[12:end] + b"\x80\x0c" + fields + b"\0"
    yield query[:2] + struct.pack(">HHHHH", 0x8180, 1, 0xFFFF, 0xFFFF, 0xFFFF) + right[12:]
    yield query[:2] + struct.pack(">HHHHH", 0x8180, 0xFFFF, 1, 0, 0) + right[12:]
    for size in range(2, len(right), 7):
        yield right[:size]


def services(message):
    """Yields the priority, weight and port, and the time to live, of each SRV record."""
    offset = question_end(message)
    for _ in range(struct.unpack(">H", message[6:8])[0]):
        start = name_end(message, offset)
        kind, _, time_to_live, size = struct.unpack(">HHIH", message[start:start + 10])
        if kind == SERVICE:
            yield struct.unpack(">HHH", message[start + 10:start + 16]), time_to_live
        offset = start + 10 + size
