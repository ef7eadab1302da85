"""Checks that the installed configuration equals the built-in one and that its schema is JSON."""
import json
own = json.load(open("/etc/verypolld/verypolld.json"))
schema = own.pop("$schema").removeprefix("file://")
json.load(open(schema))
assert own == json.load(open("/usr/share/doc/verypolld/default.json"))
