"""What a call of `verify` names: files, digests in their place, and files at URLs; and what these are verified by."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from tiles.entries.content import Content, read_content, read_digests
from tiles.errors import AccessError, NotFound, UsageError
from tiletree.files import digest_named, open_binary, read_limited

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tiles.read.web_file import WebFile
    from tiletree.listing import InList

SHA2_256 = "SHA2_256"  # as Sigstore calls it
_DIGEST = re.compile(r"(?:sha256[:=-]?)?([0-9a-f]{64})", re.IGNORECASE)  # as others write one


class Material(Protocol):
    """A proof or a bundle: a file, or what is at a URL."""

    @property
    def shown(self) -> str:
        """Where it is, without credentials."""
        ...

    def read(self, limit: int) -> bytes:
        """Return its bytes, one more than `limit` at most: its parser refuses that."""
        ...


class LocalMaterial:
    """One in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def shown(self) -> str:
        """The path."""
        return str(self.path)

    def read(self, limit: int) -> bytes:
        """Return what is in the file, one byte more than `limit` at most."""
        return read_limited(self.path, limit)


class Subject:
    """What is to be verified. None of these classes is a dataclass: making those takes longer than to use them here.

    word     as the call has it, or as a list leads to it
    web      at which URL it is; None: it is here
    listed   what a list of checksums says of it
    digest   the SHA-256 in hex that stands in the place of a file; None: it is one
    Raises UsageError for a digest that is none.
    """

    def __init__(self, word: str, web: WebFile | None = None, listed: InList | None = None) -> None:
        self.word = word
        self.web = web
        self.listed = listed
        self.digest = None if web is not None else digest_named(word)

    @property
    def shown(self) -> str:
        """The word, without credentials."""
        return self.word if self.web is None else self.web.shown

    @property
    def name(self) -> str | None:
        """The name of the file, without folders; None if it has none."""
        if self.web is not None:
            return self.web.name
        return None if self.word == "-" or self.digest is not None else Path(self.word).name

    def open(self) -> AbstractContextManager[BinaryIO]:
        """Give its bytes as a stream, once. Raises AccessError where there are none."""
        if self.web is not None:
            return self.web.open()
        return open_binary(self.word) if self.listed is None else _open_listed(self.word)

    def content(self, secrets: Callable[[], Iterable[bytes]]) -> Content:
        """Return what is known of the file after one pass over it. secrets: as for `Content`"""
        with self.open() as stream:
            return replace(read_content(stream, self.name), secrets=secrets)

    def digests(self, algorithms: frozenset[str]) -> dict[str, bytes]:
        """Return digests of the file, by the names that Sigstore has for algorithms; of one that is a digest, that."""
        if self.digest is not None:
            return {SHA2_256: bytes.fromhex(self.digest)}
        from tiles.sigstore.body import HASHES  # not for calls without a bundle

        hashes: Mapping[str, Any] = {name: HASHES[name] for name in sorted(algorithms)}
        with self.open() as stream:
            return read_digests(stream, hashes)

    def check_there(self) -> None:
        """Raise NotFound for a file that is listed, and is not there."""
        if self.listed is not None and not os.path.lexists(self.word):
            raise NotFound(f"{self.word} is listed, and not there")

    def beside(self, suffix: str) -> Material | None:
        """Return what stands beside it under its name and that suffix; None if nothing does."""
        if self.web is not None:
            from tiletree.web_material import WebMaterial  # slow to import

            found = WebMaterial(self.web.beside(suffix))
            return found if found.is_there() else None
        if self.name is None:
            return None
        path = Path(f"{self.word}{suffix}")
        return LocalMaterial(path) if path.exists() else None


def is_url(word: str) -> bool:
    """Whether a word names a file on a server; a file of such a name is ./https:…"""
    return word[:8].lower().startswith(("https://", "http://"))


def subject(word: str) -> Subject:
    """Return what a word of a call names. Raises UsageError for a digest or a URL that is none."""
    if not is_url(word):
        if (match := _DIGEST.fullmatch(word)) and not word.startswith("sha256:") and not os.path.lexists(word):
            raise UsageError(f"there is no file {word}; a digest is written sha256:{match[1].lower()}")
        return Subject(word)
    from tiles.read.web_file import WebFile  # slow to import

    return Subject(word, WebFile(word))


def material(word: str) -> Material:
    """Return the proof or bundle that a word of a call names. Raises UsageError for a URL that is none."""
    if not is_url(word):
        return LocalMaterial(Path(word))
    from tiles.read.web_file import WebFile  # slow to import
    from tiletree.web_material import WebMaterial

    return WebMaterial(WebFile(word))


@contextmanager
def _open_listed(path: str) -> Iterator[BinaryIO]:
    """Open a file that somebody else's list names. Raises NotFound or AccessError for what is no regular file."""
    try:
        if Path(path).exists() and not Path(path).is_file():  # a pipe would be waited for
            raise AccessError(f"{path} is no regular file")
        with Path(path).open("rb") as stream:
            yield stream
    except FileNotFoundError:
        raise NotFound(f"{path} is listed, and not there") from None
    except OSError as error:
        raise AccessError(f"{path} cannot be read: {error.strerror}") from error
