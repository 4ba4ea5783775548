"""What a call names and nobody is to see: credentials in addresses, and private keys, in whatever place they stand."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

_PRIVATE_KEY, _PIN = "PRIVATE+KEY", "pin-value"  # how a private key as text begins, and in what a URI holds a PIN
SECRETS = (_PRIVATE_KEY, _PIN)  # what has one of them is not shown
_HIDDEN_KEY = "(a private key)"


class Hidden:
    """The words of a call that are not shown as they are."""

    def __init__(self) -> None:
        self._shown: dict[str, str] = {}  # by what is hidden: what stands for it
        self._keys: set[str] = set()

    def hide(self, words: Iterable[str]) -> None:
        """Hide words of a call that are addresses with credentials, or keys, and the paths that such words may become.

        A private key, named where a file was to be named, is hidden in answers, too.
        """
        for word in words:
            if (before := word.lower().find(f"{_PIN}=")) >= 0:  # of pkcs11:
                self._shown[word] = f"{word[:before].rstrip('?&')}…"
            for text in (word, word.lstrip("-"), *word.lstrip("-").split("=")):  # an option may be cut at any =
                if _PRIVATE_KEY in text:  # where a file was to be named
                    self._keys |= {text, str(Path(text))}
                    self._shown |= dict.fromkeys(self._keys, _HIDDEN_KEY)
                if "://" not in text:
                    continue
                from tiles.store.address import shown_address  # slow to import, and needed for addresses only

                if (plain := shown_address(text)) != text:
                    self._shown |= {text: plain, str(Path(text)): plain}

    def plain(self, text: str) -> str:
        """Return text without anything that is hidden: for errors and notes."""
        for word in sorted(self._shown, key=len, reverse=True):
            text = text.replace(word, self._shown[word])
        return text

    def without_keys(self, text: str) -> str:
        """Return text without private keys: for answers, which may repeat an address as it was written."""
        for key in self._keys:
            text = text.replace(key, _HIDDEN_KEY)
        return text
