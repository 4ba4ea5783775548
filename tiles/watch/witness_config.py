"""The configuration of a witness: its keys, where it stores what it cosigned, and the logs that it has begun. Pure.

    state <directory or URL of a bucket>
    name <name of the witness>           if a key is in a service, where keys have no names
    key <file, or place in a service>    one or more
    log <vkey> [<url>]                   any number; a log that has several keys has a line for each

A log has a line only once its object was made (`tiletree witness begin` writes it). So whoever reads a line knows that
there has to be an object, and refuses if there is none.
"""

from __future__ import annotations

from dataclasses import dataclass

from tiles.errors import Malformed, UsageError
from tiles.notes.encoding import decode_text
from tiles.notes.keys import VerifierKey, parse_vkey
from tiles.notes.policy import policy_of
from tiles.watch.witness import WitnessedLog

MAX_CONFIG_SIZE = 1 << 20  # bytes
MAX_OWN_KEYS = 8
MAX_LOG_KEYS = 16  # of one log

_WHAT = "configuration of a witness"


@dataclass(frozen=True, slots=True)
class WitnessConfig:
    """What `parse_config` returns, in the order of the file.

    state   as it is written; a path may be relative to the file
    keys    files, the same, or places in services
    name    of the keys; "": each says its own
    """

    state: str
    keys: tuple[str, ...]
    logs: tuple[WitnessedLog, ...]
    name: str = ""

    def log(self, origin: str) -> WitnessedLog | None:
        """Return the log of that origin, None if it was not begun."""
        return next((log for log in self.logs if log.origin == origin), None)


def format_config(state: str, keys: tuple[str, ...], name: str = "") -> bytes:
    """Return the configuration of a witness that knows no log yet. Raises UsageError for what no line can hold."""
    lines = [f"state {state}\n", *([f"name {name}\n"] if name else []), *(f"key {key}\n" for key in keys)]
    data = "".join(lines).encode("utf-8", "surrogateescape")
    try:
        found = parse_config(data)
    except Malformed as error:
        raise UsageError(error.plain) from None
    if (found.state, found.keys, found.name) != (state, keys, name):
        raise UsageError("a place, file or witness has a name that no line can hold")
    return data


def format_log(key: VerifierKey, url: str) -> bytes:
    """Return the line of a log. Raises UsageError for an address that no line can hold."""
    line = f"log {key.vkey} {url}".rstrip(" ") + "\n"
    if len(line.split()) != (3 if url else 2) or not line[:-1].isprintable():
        raise UsageError("a log whose name or address has spaces or control characters cannot be written down")
    return line.encode()


def parse_config(data: bytes) -> WitnessConfig:
    """Return the configuration in a file. Lines that are empty, or begin with #, say nothing.

    Raises Malformed, saying in which line, for every other line that is not one of those above.
    """
    if len(data) > MAX_CONFIG_SIZE:
        raise Malformed(_WHAT, f"more than {MAX_CONFIG_SIZE} bytes")
    *lines, after = decode_text(data, _WHAT).split("\n")
    if after:  # a file that is cut short may have lost a log
        raise Malformed(_WHAT, "the last line does not end in newline")
    said: dict[str, str] = {}  # by the words of lines that there is one of
    keys: list[str] = []
    logs: dict[str, tuple[list[VerifierKey], list[str]]] = {}
    for number, line in enumerate(lines, 1):
        where = f"{_WHAT}, line {number}"
        word, _, rest = line.partition(" ")
        if not line.strip() or line.startswith("#"):
            continue
        if rest != rest.strip() or not rest.isprintable():
            raise Malformed(where, "not one space between word and value, or control characters")
        if word in ("state", "name") and rest and word not in said:
            said[word] = rest
        elif word == "key" and rest and rest not in keys:
            keys.append(rest)
        elif word == "log" and rest:
            _add_log(where, rest, logs)
        else:
            raise Malformed(where, "not a line that is known, or the same one again", word)
    if "state" not in said or not 1 <= len(keys) <= MAX_OWN_KEYS:
        raise Malformed(_WHAT, f"has one line `state`, and 1 to {MAX_OWN_KEYS} lines `key`")
    known = tuple(_log(origin, *found) for origin, found in logs.items())
    return WitnessConfig(said["state"], tuple(keys), known, said.get("name", ""))


def witnessed(key: VerifierKey, url: str = "") -> WitnessedLog:
    """Return a log of one key. Raises Malformed for a key that no policy can name."""
    return _log(key.name, [key], [url] if url else [])


def _add_log(where: str, rest: str, logs: dict[str, tuple[list[VerifierKey], list[str]]]) -> None:
    vkey, *url = rest.split(" ")
    if len(url) > 1 or "" in (vkey, *url):
        raise Malformed(where, "not log <vkey> [<url>]")
    try:
        key = parse_vkey(vkey)
    except Malformed as error:
        raise Malformed(where, error.plain) from None
    keys, urls = logs.setdefault(key.name, ([], []))
    keys.append(key)
    urls.extend(each for each in url if each not in urls)
    if len(keys) > MAX_LOG_KEYS or len(set(keys)) < len(keys) or len(urls) > 1:
        raise Malformed(where, f"{key.name} has this key already, another address, or more than {MAX_LOG_KEYS} keys")


def _log(origin: str, keys: list[VerifierKey], urls: list[str]) -> WitnessedLog:
    return WitnessedLog(origin, policy_of(keys), urls[0] if urls else "")
