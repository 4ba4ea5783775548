"""The memory of keys: by which key this user knows each log, and whether they said so or a first use did."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, unquote

from tiles.errors import AccessError, Malformed, Refused, UsageError, explained
from tiles.notes.encoding import decode_text, is_line
from tiles.notes.keys import VerifierKey, parse_vkey
from tiles.notes.policy import Policy, policy_for
from tiles.store.address import normal_url
from tiles.user.files import locked, read_file, write_file
from tiles.user.pinned import FIRST_USE, REMEMBERED
from tiles.user.places import config_directory

MAX_TRUST_SIZE = 1 << 20  # bytes
MAX_NAME = 255  # bytes of a key's name that is remembered, as much as any cosigner may have

_DAMAGED = explained("what-is-remembered-is-damaged", "put it right, or remove it")
_TITLE = "tiletree-trust/v1"
_WORDS = {"remembered": REMEMBERED, "first-use": FIRST_USE}
_OTHER_ORIGIN = "remembered-origin"


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of one log.

    url   in normal form (`tiles.store.address.normal_url`)
    how   REMEMBERED: somebody said so; FIRST_USE: it was what the log showed when it was first read
    other_origin   the log's origin, if somebody said that it is not the key's name; otherwise ""
    """

    url: str
    key: VerifierKey
    how: str
    other_origin: str = ""

    @property
    def origin(self) -> str:
        """The log's origin."""
        return self.other_origin or self.key.name

    @property
    def policy(self) -> Policy:
        """What accepts what the key has signed of this log."""
        return policy_for(self.key, self.origin)

    @property
    def vkey(self) -> str:
        """The key as text."""
        return self.key.vkey

    @property
    def line(self) -> str:
        """The line in the file, without its newline; the URL is last, as a path may hold spaces."""
        if self.other_origin:
            return f"{_OTHER_ORIGIN} {self.vkey} {quote(self.other_origin, safe='')} {self.url}"
        word = next(word for word, how in _WORDS.items() if how == self.how)
        return f"{word} {self.vkey} {self.url}"


class Trust:
    """The keys that one user knows logs by: one per URL, and of those that the user named one per origin.

    directory   made when first written to; default $XDG_CONFIG_HOME/tiletree, or ~/.config/tiletree

        tiletree-trust/v1
        remembered <vkey> <url>
        first-use <vkey> <url>
        remembered-origin <vkey> <origin, percent-encoded> <url>

    Every method raises AccessError if the file cannot be read or written, UsageError if it is not in its format.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory or config_directory()
        self.path = self._directory / "trust"

    def trust(self, url: str, vkey: str, *, replace: bool = False, origin: str | None = None) -> Known:
        """Remember a key because the user says so, and return what is remembered now.

        A key is named as its log, so it counts for that origin wherever a proof or a copy of the log comes from. An
        origin has one key here.
        replace   also in the place of another key, for this URL and for every other URL of the same origin
        origin    of the log, if it is not the key's name; such a log is known by its key, never by its origin alone
        Raises Refused, naming both, if another key is known for the URL or for the origin, and `replace` is not given;
        UsageError for a URL or key that is none.
        """
        known = _known(url, vkey, REMEMBERED, origin)

        def change(all_: dict[str, Known]) -> None:
            others = [other for other in all_.values() if _excludes(other, known)]
            others.sort(key=lambda other: other.how != REMEMBERED)  # of several, one that somebody vouched for is named
            if others and not replace:
                raise _other_key(others[0], known)
            for other in others:
                all_[other.url] = Known(other.url, known.key, REMEMBERED, other.other_origin)
                policy_for(known.key, other.origin)  # so that it can be used there, too
            all_[known.url] = known

        self._change(change)
        return known

    def begun(self, url: str, vkey: str) -> Known:
        """Remember the key of a log that this user has just begun at an address, and return what is remembered now.

        What was known of the address before was of another log, which is gone. Raises Refused, naming both, if the user
        has said to trust another key for the log's name elsewhere; UsageError for a URL or key that is none.
        """
        known = _known(url, vkey, REMEMBERED)

        def change(all_: dict[str, Known]) -> None:
            for other in all_.values():
                if other.url != known.url and other.how == REMEMBERED and _excludes(other, known):
                    raise _other_key(other, known)
            all_[known.url] = known

        self._change(change)
        return known

    def first_use(self, url: str, vkey: str) -> Known:
        """Remember the key that a log had when it was first read, and return what is remembered now.

        A URL that is known stays as it is. Raises Refused, naming both, if it is known by another key, or if the user
        has said to trust another key for its origin. Another first use elsewhere is no reason to refuse: whoever was
        visited first would decide who may have that name.
        """
        known = _known(url, vkey, FIRST_USE)

        def change(all_: dict[str, Known]) -> None:
            for other in all_.values():
                if _excludes(other, known) and (other.url == known.url or other.how == REMEMBERED):
                    raise _other_key(other, known)
            all_.setdefault(known.url, known)

        return self._change(change)[known.url]

    def lookup(self, url: str) -> Known | None:
        """Return what is remembered of a log, or None."""
        return self._read().get(normal_url(url))

    def lookup_origin(self, origin: str) -> Policy | None:
        """Return the policy that accepts the key that the user said to trust for an origin, or None.

        A key of a first use is not taken: a proof that is verified offline needs a key that somebody vouched for.
        Raises Refused, naming two of them, if there are several, which only another program can have written. Where
        the origin is not the name of a key, several logs may have it: the policy then accepts each of those keys.
        """
        known = [known for known in self.all().values() if known.how == REMEMBERED and known.origin == origin]
        named = [one for one in known if not one.other_origin]
        for other in named[1:]:
            if _excludes(named[0], other):
                raise _other_key(named[0], other)
        if named or not known:
            return named[0].policy if named else None
        policies = [one.policy for one in known]
        logs = tuple(dict.fromkeys(log for policy in policies for log in policy.logs))
        return replace(policies[0], logs=logs)

    def forget(self, url: str) -> bool:
        """Forget a log, and return whether it was known."""
        normal = normal_url(url)
        was_known = normal in self._read()
        if was_known:
            self._change(lambda all_: all_.pop(normal, None))
        return was_known

    def all(self) -> dict[str, Known]:
        """Return all that is remembered, by URL, in the order of the URLs."""
        return self._read()

    def _change(self, change: Callable[[dict[str, Known]], object]) -> dict[str, Known]:
        with locked(self._directory):
            all_ = self._read()
            before = dict(all_)
            change(all_)
            if all_ != before:
                data = _format(all_.values())
                if len(data) > MAX_TRUST_SIZE:  # which could not be read back
                    hint = "`tiletree key list` lists all of them, and `tiletree key forget LOG` makes room"
                    raise AccessError(f"{self.path} has no room for another key", hint=hint)
                write_file(self.path, data)
            return all_

    def _read(self) -> dict[str, Known]:
        data = read_file(self.path, MAX_TRUST_SIZE)
        try:
            return {} if data is None else _parse(data)
        except Malformed as error:
            raise UsageError(f"{self.path}: {error.message}", hint=_DAMAGED) from error


def _excludes(known: Known, other: Known) -> bool:
    """Whether the two cannot both hold: one URL of two logs, or one name of two keys."""
    if known.url == other.url:
        return (known.key, known.origin) != (other.key, other.origin)
    return known.key != other.key and known.key.name == other.key.name


def _other_key(known: Known, wanted: Known) -> Refused:
    if known.key == wanted.key:
        message = f"{known.url} is known as the log {known.origin!r} of its key, not as {wanted.origin!r}"
    elif known.url == wanted.url:
        message = f"{known.url} is known by the key {known.vkey} ({known.how}), not by {wanted.vkey}"
    else:
        message = (
            f"the log {wanted.key.name} is known by the key {known.vkey} ({known.how}, at {known.url}), "
            f"not by {wanted.vkey}, which is named for {wanted.url}"
        )
    hint = explained(
        "another-key-is-remembered",
        "find out from its operator which one is right; `tiletree key trust LOG VKEY --replace` then keeps that one",
    )
    return Refused(message, hint=hint)


def _known(url: str, vkey: str, how: str, origin: str | None = None) -> Known:
    """Return what is to be remembered. Raises UsageError if it cannot be."""
    normal = normal_url(url)
    try:
        key = parse_vkey(vkey)
        known = Known(normal, key, how, origin if origin is not None and origin != key.name else "")
    except Malformed as error:
        raise UsageError(error.message) from error
    if problem := unrememberable(normal, known.key):
        raise UsageError(problem)
    policy_for(known.key, origin)  # so that whatever is remembered can be used
    if origin is not None and len(origin.encode()) > MAX_NAME:
        raise UsageError(f"an origin of more than {MAX_NAME} bytes is not remembered")
    return known


def unrememberable(url: str, key: VerifierKey) -> str:
    """Return why a key cannot be remembered for a URL, in normal form; "" if it can be."""
    if not is_line(url):
        return f"{url!r} cannot be remembered: it is not one line of text"
    if (size := len(key.name.encode())) > MAX_NAME:
        return f"the key's name has {size} bytes, and names of at most {MAX_NAME} are remembered"
    return ""


def _format(all_: Iterable[Known]) -> bytes:
    lines = [known.line for known in sorted(all_, key=lambda known: known.url)]
    return "".join(f"{line}\n" for line in [_TITLE, *lines]).encode()


def _parse(data: bytes) -> dict[str, Known]:
    title, *lines = decode_text(data, _TITLE).split("\n")
    if title != _TITLE or not lines or lines.pop() != "":
        raise Malformed(_TITLE, "not lines that begin with its title and each end in newline")
    all_ = {}
    for line in lines:
        if line.startswith(f"{_OTHER_ORIGIN} "):
            known = _parse_other_origin(line)
            all_[known.url] = known
            continue
        word, vkey, url = [*line.split(" ", 2), "", ""][:3]
        if word not in _WORDS or not url:
            raise Malformed(_TITLE, "not <remembered|first-use> <vkey> <url>", line)
        all_[url] = Known(url, parse_vkey(vkey), _WORDS[word])
    if _format(all_.values()) != data:
        raise Malformed(_TITLE, "not in canonical form: sorted by URL, each once")
    return all_


def _parse_other_origin(line: str) -> Known:
    _, vkey, quoted, url = [*line.split(" ", 3), "", ""][:4]
    origin, key = unquote(quoted), parse_vkey(vkey)
    if not url or not is_line(origin) or origin == key.name:
        raise Malformed(_TITLE, f"not {_OTHER_ORIGIN} <vkey> <origin, if it is not the key's name> <url>", line)
    try:
        policy_for(key, origin)
    except UsageError as error:
        raise Malformed(_TITLE, error.message, line) from None
    return Known(url, key, REMEMBERED, origin)
