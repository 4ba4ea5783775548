"""A proof or a bundle at a URL: what `tiletree verify` reads there."""

from __future__ import annotations

from functools import cached_property

from tiles.errors import NotFound
from tiles.read.web_file import WebFile

_MOST = 16 << 20  # bytes that are read; the parsers refuse less


class WebMaterial:
    """One at a URL, which is read once."""

    def __init__(self, file: WebFile) -> None:
        self._file = file

    @property
    def shown(self) -> str:
        """The URL, without credentials."""
        return self._file.shown

    def read(self, limit: int) -> bytes:  # noqa: ARG002  what is longer is refused by its parser
        """Return what is there."""
        return self._data

    def is_there(self) -> bool:
        """Whether the server has it. Raises AccessError where that is not known."""
        try:
            _ = self._data
        except NotFound:
            return False
        return True

    @cached_property
    def _data(self) -> bytes:
        return self._file.read(_MOST)
