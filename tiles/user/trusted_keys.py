"""The memory of keys: by which key this user knows each log, and whether they said so or a first use did."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of one log.

    url   in normal form (`tiles.store.address.normal_url`)
    how   REMEMBERED: somebody said so; FIRST_USE: it was what the log showed when it was first read
    """

    url: str
    key: VerifierKey
    how: str

    @property
    def vkey(self) -> str:
        """The key as text."""
        return self.key.vkey

    @property
    def line(self) -> str:
        """The line in the file, without its newline; the URL is last, as a path may hold spaces."""
        word = next(word for word, how in _WORDS.items() if how == self.how)
        return f"{word} {self.vkey} {self.url}"


class Trust:
    """The keys that one user knows logs by: one per URL, and of those that the user named one per origin.

    directory   made when first written to; default $XDG_CONFIG_HOME/tiletree, or ~/.config/tiletree

        tiletree-trust/v1
        remembered <vkey> <url>
        first-use <vkey> <url>

    Every method raises AccessError if the file cannot be read or written, UsageError if it is not in its format.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory or config_directory()
        self.path = self._directory / "trust"

    def trust(self, url: str, vkey: str, *, replace: bool = False) -> Known:
        """Remember a key because the user says so, and return what is remembered now.

        A key is named as its log, so it counts for that origin wherever a proof or a copy of the log comes from. An
        origin has one key here.
        replace   also in the place of another key, for this URL and for every other URL of the same origin
        Raises Refused, naming both, if another key is known for the URL or for the origin, and `replace` is not given;
        UsageError for a URL or key that is none.
        """
        known = _known(url, vkey, REMEMBERED)

        def change(all_: dict[str, Known]) -> None:
            others = [other for other in all_.values() if _excludes(other, known)]
            others.sort(key=lambda other: other.how != REMEMBERED)  # of several, one that somebody vouched for is named
            if others and not replace:
                raise _other_key(others[0], known)
            all_.update({other.url: Known(other.url, known.key, REMEMBERED) for other in others})
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
        Raises Refused, naming two of them, if there are several, which only another program can have written.
        """
        known = [known for known in self.all().values() if known.how == REMEMBERED and known.key.name == origin]
        for other in known[1:]:
            if _excludes(known[0], other):
                raise _other_key(known[0], other)
        return policy_for(known[0].key) if known else None

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
    """Whether the two cannot both hold: they are of one URL or of one origin, by different keys."""
    return known.key != other.key and (known.url == other.url or known.key.name == other.key.name)


def _other_key(known: Known, wanted: Known) -> Refused:
    if known.url == wanted.url:
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


def _known(url: str, vkey: str, how: str) -> Known:
    """Return what is to be remembered. Raises UsageError if it cannot be."""
    normal = normal_url(url)
    try:
        known = Known(normal, parse_vkey(vkey), how)
    except Malformed as error:
        raise UsageError(error.message) from error
    if problem := unrememberable(normal, known.key):
        raise UsageError(problem)
    policy_for(known.key)  # so that whatever is remembered can be used
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
        word, vkey, url = [*line.split(" ", 2), "", ""][:3]
        if word not in _WORDS or not url:
            raise Malformed(_TITLE, "not <remembered|first-use> <vkey> <url>", line)
        all_[url] = Known(url, parse_vkey(vkey), _WORDS[word])
    if _format(all_.values()) != data:
        raise Malformed(_TITLE, "not in canonical form: sorted by URL, each once")
    return all_
