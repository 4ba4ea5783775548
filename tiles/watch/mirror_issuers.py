"""Certificates of issuers, which a log of certificates has beside its tree, copied by a mirror of it.

    data tile, verified  →  fingerprints of issuers  →  those that the mirror lacks, each with that SHA-256  →  written

"Every issuer referred to by a TileLeaf MUST be exposed" (https://c2sp.org/static-ct-api, "Issuers"), so a mirror has
them before it publishes a tree that refers to them, and a log that lacks one is not mirrored any further. The
fingerprints are in no tree: nothing shows that whoever served a data tile has not changed them. So what they can make a
mirror fetch is bounded.
"""

from __future__ import annotations

from hashlib import sha256

from tiles.errors import LogError, NotFound, TileError
from tiles.read.layouts import STATIC_CT
from tiles.records.paths import issuer_path
from tiles.store import Differs, Fetcher, Store
from tiles.store.past_caches import fetch_for
from tiles.tree.layout import Tile

MAX_ISSUER_SIZE = 1 << 16  # bytes
MAX_ISSUERS = 1 << 16  # in one run: some thousands have ever issued certificates that logs take


class IssuerCopier:
    """Copies the issuers that data tiles name.

    fetcher   reads the log
    target    where the copy is

    copied   how many were written
    """

    def __init__(self, fetcher: Fetcher, target: Store) -> None:
        self.copied = 0
        self._fetcher = fetcher
        self._target = target
        self._known: set[bytes] = set()

    def copy(self, bundle: Tile, data: bytes) -> None:
        """Let the mirror have the issuers that a data tile names.

        Raises NotFound and AccessError for one that the log does not give; LogError for one that is not what its name
        says, and for more than MAX_ISSUERS.
        """
        for fingerprint in sorted(STATIC_CT.issuers(bundle, data) - self._known):
            if len(self._known) >= MAX_ISSUERS:
                raise LogError(f"{STATIC_CT.path(bundle)} names more issuers than the {MAX_ISSUERS} that a run copies")
            self._copy(fingerprint)
            self._known.add(fingerprint)

    def _copy(self, fingerprint: bytes) -> None:
        path = issuer_path(fingerprint)
        if self._is_there(path, fingerprint):
            return

        def named(data: bytes) -> bytes:
            if sha256(data).digest() != fingerprint:
                raise LogError(f"{path} is no certificate with that SHA-256")
            return data

        try:
            certificate = fetch_for(self._fetcher, path, MAX_ISSUER_SIZE, named)
        except NotFound as error:
            raise NotFound(
                f"{error.message}: an entry names this issuer, so a copy without it would not be whole",
                hint=f"whoever has that certificate can put it, DER, at {self._target.url}/{path}",
            ) from None
        try:
            self._target.create({path: certificate})
        except Differs as error:
            raise self._differs(path, error.found) from error
        self.copied += 1

    def _is_there(self, path: str, fingerprint: bytes) -> bool:
        try:
            found = self._target.read(path, MAX_ISSUER_SIZE).data
        except NotFound:
            return False
        if sha256(found).digest() != fingerprint:
            raise self._differs(path, found)
        return True

    def _differs(self, path: str, found: bytes) -> TileError:
        where = f"{self._target.url}/{path}"
        error = TileError(where, "is there with another content than its name says; nothing was overwritten",
                          evidence={path: found})  # fmt: skip
        error.hint = "find out who wrote it; once it is deleted, the mirror goes on"
        return error
