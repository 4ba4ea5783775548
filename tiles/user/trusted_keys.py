"""The memory of keys: by which key this user knows each log, and whether they said so or a first use did."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tiles.errors import Malformed, Refused, UsageError
from tiles.notes.encoding import decode_text, is_line
from tiles.notes.keys import VerifierKey, parse_vkey
from tiles.notes.policy import Policy, policy_for, policy_of
from tiles.store.address import normal_url
from tiles.user.files import locked, read_file, write_file
from tiles.user.places import config_directory

REMEMBERED = "remembered"
FIRST_USE = "first use, not pinned"

MAX_TRUST_SIZE = 1 << 20  # bytes

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
    """The keys that one user knows logs by: one per URL, in one small text file.

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

        replace   also in the place of another key
        Raises Refused, naming both, if another key is known for the URL and `replace` is not given; UsageError for a
        URL or key that is none.
        """
        known = _known(url, vkey, REMEMBERED)

        def change(all_: dict[str, Known]) -> None:
            _check_same(all_.get(known.url), known, replaceable=replace)
            all_[known.url] = known

        self._change(change)
        return known

    def first_use(self, url: str, vkey: str) -> Known:
        """Remember the key that a log had when it was first read, and return what is remembered now.

        A URL that is known stays as it is. Raises Refused, naming both, if it is known by another key.
        """
        known = _known(url, vkey, FIRST_USE)

        def change(all_: dict[str, Known]) -> None:
            _check_same(all_.get(known.url), known, replaceable=False)
            all_.setdefault(known.url, known)

        return self._change(change)[known.url]

    def lookup(self, url: str) -> Known | None:
        """Return what is remembered of a log, or None."""
        return self._read().get(normal_url(url))

    def lookup_origin(self, origin: str) -> Policy | None:
        """Return the policy that accepts every key that the user said to trust for an origin, or None.

        Keys of a first use are not among them: a proof that is verified offline needs a key that somebody vouched for.
        """
        known = [known for known in self.all().values() if known.how == REMEMBERED and known.key.name == origin]
        return policy_of(known_.key for known_ in known) if known else None

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
                write_file(self.path, _format(all_.values()))
            return all_

    def _read(self) -> dict[str, Known]:
        data = read_file(self.path, MAX_TRUST_SIZE)
        try:
            return {} if data is None else _parse(data)
        except Malformed as error:
            raise UsageError(f"{self.path}: {error.message}", hint="put it right, or remove it") from error


def _check_same(known: Known | None, wanted: Known, *, replaceable: bool) -> None:
    if known is not None and known.key != wanted.key and not replaceable:
        raise Refused(
            f"{known.url} is known by the key {known.vkey} ({known.how}), not by {wanted.vkey}",
            hint="find out from its operator which one is right before replacing it",
        )


def _known(url: str, vkey: str, how: str) -> Known:
    """Return what is to be remembered. Raises UsageError if it cannot be."""
    normal = normal_url(url)
    if not is_line(normal):
        raise UsageError(f"{normal!r} cannot be remembered: it is not one line of text")
    try:
        known = Known(normal, parse_vkey(vkey), how)
    except Malformed as error:
        raise UsageError(error.message) from error
    policy_for(known.key)  # so that whatever is remembered can be used
    return known


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
