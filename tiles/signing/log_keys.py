"""The keys of one log that a run holds. Those that the log's head names sign.

A log has an Ed25519 key, and may have more: an ML-DSA-44 key beside it, and, while it is rotated, another Ed25519 key.
A run may hold keys that the head does not name yet, or does not name any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tiles.errors import Refused, UsageError, explained
from tiles.notes.key_change import MAX_KEYS
from tiles.notes.keys import SIGNS_TEXT, SignatureType, SigningKey, VerifierKey

KINDS = (SignatureType.ED25519, SignatureType.MLDSA44)  # of the keys of a log that has several


class LogKeys:
    """The keys of one log. It is a SigningKey itself: the first that signs texts.

    Raises UsageError for several keys that cannot be those of one log: of different names, of other kinds than KINDS,
    without an Ed25519 key.
    """

    def __init__(self, keys: Sequence[SigningKey]) -> None:
        self._held = {key.verifier.vkey: key for key in keys}
        names = {key.verifier.name for key in keys}
        kinds = [key.verifier.type for key in keys]
        if not keys or len(self._held) != len(keys):
            raise UsageError("a log has at least one key, and each once")
        if len(keys) > 1 and (len(names) > 1 or SignatureType.ED25519 not in kinds or not set(kinds) <= set(KINDS)):
            raise UsageError("the keys of a log have one name; one is Ed25519, and the others are Ed25519 or ML-DSA-44")
        if len(keys) > MAX_KEYS:
            raise UsageError(f"a log has at most {MAX_KEYS} keys")
        self._current = tuple(ordered(key.verifier for key in keys))

    @property
    def name(self) -> str:
        """The log's origin."""
        return self._current[0].name

    @property
    def held(self) -> tuple[VerifierKey, ...]:
        """The keys that verify what any of these signs; those of the head first."""
        others = (key.verifier for key in self._held.values() if key.verifier not in self._current)
        return (*self._current, *others)

    @property
    def current(self) -> tuple[VerifierKey, ...]:
        """The keys that the head names, in its order; until `use` is called, all that are held."""
        return self._current

    @property
    def verifier(self) -> VerifierKey:
        """The first of them, by which texts are signed."""
        return self._current[0]

    def signing(self, verifier: VerifierKey) -> SigningKey:
        """Return what signs for one of the keys that are held."""
        return self._held[verifier.vkey]

    def sign(self, message: bytes) -> bytes:
        """Return the raw signature over message, by `verifier`."""
        return self.signing(self.verifier).sign(message)

    def use(self, vkeys: Iterable[str]) -> None:
        """Sign by these keys from now on: those that the head names. Raises Refused unless all are held."""
        wanted = tuple(vkeys)
        missing = [vkey for vkey in wanted if vkey not in self._held]
        if missing or not wanted:
            raise Refused(
                f"the log {self.name} is signed by {' '.join(wanted)}, and of these {' '.join(missing)} is not here",
                hint=explained("a-key-is-missing", "bring the key file up to date: one line for each key of the log"),
            )
        self._current = tuple(self._held[vkey].verifier for vkey in wanted)

    def __repr__(self) -> str:
        return f"LogKeys({', '.join(map(str, self.held))})"


def as_log_keys(key: SigningKey) -> LogKeys:
    """Return the keys of a log, given as they are, or as the only one."""
    return key if isinstance(key, LogKeys) else LogKeys([key])


def ordered(keys: Iterable[VerifierKey]) -> list[VerifierKey]:
    """Return keys in the order in which a head names them: first those that sign texts."""
    return sorted(keys, key=lambda key: key.type not in SIGNS_TEXT)
