"""Prints the log calls of Sources that have an identifier or metadata, as JSON.

    log_calls.py SOURCES

Each call is an object: "place" is FILE:LINE, "kinds" are the cases of JournalMessageID that the
call can log, "keys" are the metadata keys that it always has, and "optional" are the keys that it
has at times. The program fails if it does not understand the metadata of a call.
"""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1])
IDENTIFIERS = "VerypollServer/Runtime/JournalMessageID.swift"
LEVELS = "trace|debug|info|notice|warning|error|critical|log"
CALL = re.compile(rf"(?:\blogger\.(?:{LEVELS})|(?<!func )(?<![.\w])log|\bDaemon\.report)\(")
DECLARATION = re.compile(r"(?:var|let) metadata: Logger.Metadata = \[")
KEY = re.compile(r'"(\w+)":')


def end_of_string(text, start):
    """Returns the position after the string literal that begins at a position."""
    quote = '"""' if text.startswith('"""', start) else '"'
    position = start + len(quote)
    while not text.startswith(quote, position):
        if text.startswith("\\(", position):
            position = end_of_brackets(text, position + 1)
        else:
            position += 2 if text[position] == "\\" else 1
    return position + len(quote)


def end_of_brackets(text, start, found=None):
    """Returns the position after the bracket that closes the one at a position.

    Adds the ranges between the commas of the outermost level to `found`.
    """
    depth, position, begin = 0, start, start + 1
    while True:
        character = text[position]
        if character == '"':
            position = end_of_string(text, position)
            continue
        depth += (character in "([{") - (character in ")]}")
        if (character == "," and depth == 1 or depth == 0) and found is not None:
            found.append(text[begin:position].strip())
            begin = position + 1
        position += 1
        if depth == 0:
            return position


def arguments(text, bracket):
    found = []
    end_of_brackets(text, bracket, found)
    return [argument for argument in found if argument]


def keys_of_servers(sources):
    """Returns the keys of the metadata of a server, which a function of all upstreams makes."""
    head = re.compile(r"func metadata\(of \w+: ServerIndex\)[^{]*\{([^}]*)\}")
    bodies = [match.group(1) for text in sources.values() for match in head.finditer(text)]
    return set(KEY.findall(bodies[0]))


def keys_of_callers(sources):
    """Returns the keys that a function adds for the caller of a control method."""
    head = re.compile(r"func by\(_ caller: Caller\?\)[^{]*\{(.*?)\n    \}", re.DOTALL)
    bodies = [match.group(1) for text in sources.values() for match in head.finditer(text)]
    return set(re.findall(r'all\["(\w+)"\] =', bodies[0]))


def metadata(expression, text, position, servers, callers):
    """Returns the keys that a metadata expression always has, and those that it has at times."""
    by_caller = re.fullmatch(r"(.*?)\s*\.by\((?:\w+\.)?caller\)", expression, re.DOTALL)
    if by_caller:
        always, at_times = metadata(by_caller.group(1), text, position, servers, callers)
        return always, at_times | callers
    if expression.startswith("["):
        return set(KEY.findall(expression)), set()
    if re.fullmatch(r"([\w.]*upstreams\.)?metadata\((of: server|(of: )?index)\)", expression):
        return servers, set()
    if expression.startswith("metadata(of: listener"):
        return set(KEY.findall(expression)), {"listener"}
    if expression == "metadata":
        start = [match.start() for match in DECLARATION.finditer(text, 0, position)][-1]
        literal = text.index("[", start)
        end = end_of_brackets(text, literal)
        added = re.findall(r'metadata\["(\w+)"\] =', text[end:position])
        return set(KEY.findall(text[literal:end])), set(added)
    sys.exit(f"log_calls.py: unknown metadata: {expression}")


def calls(path, text, kinds, servers, callers):
    for match in CALL.finditer(text):
        given = arguments(text, match.end() - 1)
        labels = {a.split(":")[0]: a.split(":", 1)[1].strip() for a in given
                  if re.match(r"(metadata|level|as):", a)}
        plain = [a for a in given if not re.match(r'(metadata|level):|"', a)]
        found = [kind for a in plain for kind in re.findall(r"\.(\w+)", a) if kind in kinds]
        always, at_times = set(), set()
        if "metadata" in labels:
            always, at_times = metadata(
                labels["metadata"], text, match.start(), servers, callers)
        yield {
            "place": f"{path}:{text.count(chr(10), 0, match.start()) + 1}",
            "kinds": sorted(set(found)), "keys": sorted(always), "optional": sorted(at_times),
            "helper": match.group() == "log(", "isInner": labels.get("level") == "level",
        }


def main():
    sources = {
        str(path.relative_to(ROOT)): path.read_text() for path in sorted(ROOT.rglob("*.swift"))
    }
    kinds = set(re.findall(r"case (\w+) = \"[0-9a-f]{32}\"", sources.pop(IDENTIFIERS)))
    servers, callers = keys_of_servers(sources), keys_of_callers(sources)
    result = []
    for path, text in sources.items():
        found = list(calls(path, text, kinds, servers, callers))
        # A function named log of the file adds the metadata of its own call.
        inner = [call for call in found if call["isInner"]]
        for call in found:
            if call["helper"] and inner:
                call["keys"] = inner[0]["keys"]
            if call["kinds"] or call["keys"] or call["optional"]:
                result.append({key: call[key] for key in ("place", "kinds", "keys", "optional")})
    print(json.dumps(result, indent=1))


main()
