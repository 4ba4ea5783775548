"""A log in memory that signatures are logged in, and keys that sign artifacts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tiles.log import Log
from tiles.notes.keys import SigningKey, signing_key
from tiles.notes.policy import policy_for
from tiles.read.client import LogClient
from tiles.signing.artifact_key import FileKey, parse_artifact_key
from tiles.signing.signer import Signer
from tiles.store import Store, StoreFetcher
from tiles.store.memory import MemoryStore

ORIGIN = "log.example.com"


@cache
def artifact_key(number: int = 1) -> FileKey:
    """Return a signing key; the same one for the same number."""
    private = ec.derive_private_key(number + 1000, ec.SECP256R1())
    return parse_artifact_key(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@dataclass
class MemoryLog:
    """A log that was begun, in memory; `open` opens it for a run."""

    key: SigningKey = field(default_factory=lambda: signing_key(ORIGIN, bytes(range(32))))
    stores: dict[str, Store] = field(
        default_factory=lambda: {role: MemoryStore() for role in ("public", "private", "anchor")}
    )

    def __post_init__(self) -> None:
        self.open().create()

    def open(self, wrap: Callable[[Store, str], Store] = lambda store, _role: store) -> Log:
        """Return the log, open for writing. wrap: what a run sees of each of its stores"""
        public, private, anchor = (wrap(store, role) for role, store in self.stores.items())
        return Log(public, private, Signer(self.key, anchor))

    def entries(self) -> list[bytes]:
        """Return all entries, read as a reader does."""
        client = LogClient(StoreFetcher(self.stores["public"]), policy_for(self.key.verifier))
        return [entry for _, entry in client.entries(0, client.tree.size)]
