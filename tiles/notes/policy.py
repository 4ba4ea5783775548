"""Policies (https://c2sp.org/tlog-policy): whose signatures, and how many cosignatures, make a checkpoint acceptable.

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> all|any|<k> <name>...
    quorum <name>|none

A checkpoint is accepted if it is signed by any one of the logs, and cosigned by witnesses according to the quorum.
Keys of logs may be of every type this library knows, COSIGNATURE included (tlog-checkpoint "Signatures": "MAY use any
note signature algorithm"); keys of witnesses are COSIGNATURE or MLDSA44 (tlog-cosignature "Format").
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from hashlib import sha256

from tiles.errors import Malformed, PolicyError, SignatureError, UsageError
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.cosignature import Cosignature
from tiles.notes.encoding import decode_decimal, decode_text, is_line
from tiles.notes.keys import SIGNS_CHECKPOINT, SIGNS_TEXT, SignatureType, VerifierKey, parse_vkey
from tiles.notes.note import no_known_signature
from tiles.notes.verified_signatures import verified_signatures as verified

MAX_POLICY_SIZE = 1 << 20  # bytes
MAX_POLICY_LINES = 1024  # "Implementation limits": at least 32 logs, 32 witnesses and 32 groups

_WHAT = "policy"
_NONE = b"none"
# "Character set": 0x09 (tab), 0x0A (newline), 0x20-0x7E, and 0x80-0xFF
_OCTETS = bytes([0x09, 0x0A, *range(0x20, 0x7F), *range(0x80, 0x100)])


@dataclass(frozen=True, slots=True)
class Log:
    """A log whose checkpoints are accepted; other_origin: if that is not the key's name, which no policy file says."""

    key: VerifierKey
    url: str = ""
    other_origin: str = ""

    @property
    def origin(self) -> str:
        """The first line of its checkpoints."""
        return self.other_origin or self.key.name


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness. The name is octets, and means nothing outside the policy; url is "" if none was given."""

    name: bytes
    key: VerifierKey
    url: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A group witnesses a checkpoint if at least `threshold` members do; 1 ≤ threshold ≤ len(members)."""

    name: bytes
    threshold: int
    members: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A checkpoint that a policy has accepted.

    log            the key that signed all of its text; its name is the origin, unless the policy says otherwise
    cosignatures   of witnesses in the policy, verified, in the order of the note
    """

    signed: SignedCheckpoint
    log: VerifierKey
    cosignatures: tuple[Cosignature, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """What `parse_policy` returns; lines are in the order of the file.

    quorum   the name of a witness or group, or None where no cosignature is required
    data     the exact bytes
    """

    logs: tuple[Log, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: bytes | None
    data: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        """SHA-256 of `data`, lower-case hex."""
        return sha256(self.data).hexdigest()

    @property
    def needs_witnesses(self) -> bool:
        """Whether a checkpoint needs any cosignature; every quorum but `none` takes at least one."""
        return self.quorum is not None

    def accept(self, signed: SignedCheckpoint, origin: str | None = None) -> Accepted:
        """Return the checkpoint, accepted.

        origin   if given, the only origin that is accepted
        Raises SignatureError if a signature of any key in the policy is wrong, or there is none over the whole text
        by a log with the checkpoint's origin; PolicyError if no log in it has that origin, or the quorum is not met.
        """
        if origin is not None and signed.origin != origin:
            raise self._refused(signed, f"the origin is {signed.origin!r}, not {origin!r}")
        by_log = verified(signed, [log.key for log in self.logs])
        by_witness = verified(signed, [witness.key for witness in self.witnesses])
        # "Defining a log": "This name MUST correspond to the log's origin line"
        if not (keys := self.keys_of(signed.origin)):
            raise self._refused(signed, f"no log of the policy has the origin {signed.origin!r}")
        signers = [key for key, _ in by_log if key in keys]
        if not signers:
            raise no_known_signature(signed.note, keys)
        if signed.checkpoint.extensions:  # tlog-checkpoint "Signatures": ML-DSA-44 "doesn't sign" them
            signers = [key for key in signers if key.type != SignatureType.MLDSA44]
            if not signers:
                raise SignatureError("nothing by the log signs the extension lines", evidence={"note": signed.data})
        cosignatures = tuple(cosignature for _, cosignature in by_witness if cosignature)
        self._check_quorum(signed, {cosignature.key for cosignature in cosignatures})
        return Accepted(signed, signers[0], cosignatures)

    def keys_of(self, origin: str) -> list[VerifierKey]:
        """Return the keys of the log of that origin; a log may have several."""
        return [log.key for log in self.logs if log.origin == origin]

    def without_quorum(self) -> Policy:
        """Return this policy without its quorum, for checkpoints that were published under earlier policies."""
        return replace(self, quorum=None)

    def met_by(self, keys: Collection[VerifierKey]) -> set[bytes]:
        """Return the names of the witnesses with these keys, and of the groups that they are enough for."""
        met = {witness.name for witness in self.witnesses if witness.key in keys}
        for group in self.groups:  # members are defined on preceding lines: one pass is enough
            if sum(member in met for member in group.members) >= group.threshold:
                met.add(group.name)
        return met

    def _check_quorum(self, signed: SignedCheckpoint, keys: set[VerifierKey]) -> None:
        if self.quorum is None or self.quorum in (met := self.met_by(keys)):
            return
        wanted = self._witnesses_of(self.quorum)
        missing = [_shown(name) for name in wanted if name not in met]
        raise self._refused(
            signed,
            f"quorum {_shown(self.quorum)} is not met: {len(wanted) - len(missing)} of its {len(wanted)} witnesses "
            f"have cosigned, missing {', '.join(missing)}",
        )

    def _witnesses_of(self, name: bytes) -> list[bytes]:
        """Return the witnesses under a name, in the order of the file."""
        under = {name}
        for group in reversed(self.groups):
            if group.name in under:
                under.update(group.members)
        return [witness.name for witness in self.witnesses if witness.name in under]

    def _refused(self, signed: SignedCheckpoint, message: str) -> PolicyError:
        return PolicyError(message, evidence={"note": signed.data, "policy": self.data})


def parse_policy(data: bytes) -> Policy:
    """Return the policy in a file. Raises Malformed, saying in which line."""
    if len(data) > MAX_POLICY_SIZE:
        raise Malformed(_WHAT, f"more than {MAX_POLICY_SIZE} bytes", len(data))
    if forbidden := data.translate(None, _OCTETS):
        raise Malformed(_WHAT, "control character", _shown(forbidden[:1]))
    *lines, after = data.split(b"\n")
    if after:  # "each line is terminated by ASCII newline"; without it a file cut short could be a weaker policy
        raise Malformed(_WHAT, "the last line does not end in newline", _shown(after))
    if len(lines) > MAX_POLICY_LINES:
        raise Malformed(_WHAT, f"more than {MAX_POLICY_LINES} lines", len(lines))
    draft = _Draft()
    for number, line in enumerate(lines, 1):
        # "Structure": whitespace is space and tab only; bytes.split() knows more kinds, but those are refused above
        items = line.split()
        if items and not items[0].startswith(b"#"):
            draft.add(f"{_WHAT} line {number}", items)
    return draft.finish(bytes(data))


def policy_for(key: VerifierKey, origin: str | None = None) -> Policy:
    """Return the policy that accepts whatever is signed by this log key, without cosignatures.

    origin   of the log, if it is not the key's name
    Raises UsageError if the key's name has an octet that no policy may have (0x7F), or if the origin cannot be one.
    """
    try:
        policy = policy_of([key])
    except Malformed as error:
        raise UsageError(f"no policy can name {key}: {error.message}") from None
    if origin is None or origin == key.name:
        return policy
    if not is_line(origin):
        raise UsageError("an origin is one line, not empty, without control characters")
    if key.type not in SIGNS_TEXT:
        raise UsageError(f"{key} is of a type whose name is always the origin of its log")
    return replace(policy, logs=(Log(key, "", origin),), data=f"# its origin: {origin}\n".encode() + policy.data)


def policy_of(keys: Iterable[VerifierKey]) -> Policy:
    """Return the policy that accepts whatever is signed by one of these log keys, without cosignatures.

    Raises Malformed if no policy can name one of them.
    """
    return parse_policy("".join([*(f"log {key.vkey}\n" for key in dict.fromkeys(keys)), "quorum none\n"]).encode())


class _Draft:
    """A policy while its lines are read."""

    def __init__(self) -> None:
        self.logs: list[Log] = []
        self.witnesses: list[Witness] = []
        self.groups: list[Group] = []
        self.quorums: list[bytes] = []
        self.names = {_NONE}  # defined; "none" is predefined
        self.members: set[bytes] = set()
        self.keys: dict[tuple[str, bytes], VerifierKey] = {}
        self.public: set[tuple[type[Log | Witness], bytes]] = set()

    def add(self, where: str, items: list[bytes]) -> None:
        keyword, *rest = items
        if keyword == b"log" and 1 <= len(rest) <= 2:
            self._log(where, *rest)
        elif keyword == b"witness" and 2 <= len(rest) <= 3:
            self._witness(where, *rest)
        elif keyword == b"group" and len(rest) >= 3:
            self._group(where, rest[0], rest[1], rest[2:])
        elif keyword == b"quorum" and len(rest) == 1:
            self._quorum(where, rest[0])
        else:
            raise Malformed(where, "not a log, witness, group or quorum line", _shown(b" ".join(items)))

    def finish(self, data: bytes) -> Policy:
        if not self.quorums:  # "A policy file must include exactly one quorum line"
            raise Malformed(_WHAT, "no quorum line")
        quorum = None if self.quorums[0] == _NONE else self.quorums[0]
        return Policy(tuple(self.logs), tuple(self.witnesses), tuple(self.groups), quorum, data)

    def _log(self, where: str, vkey: bytes, url: bytes = b"") -> None:
        self.logs.append(Log(self._key(where, vkey, Log), _shown(url)))

    def _witness(self, where: str, name: bytes, vkey: bytes, url: bytes = b"") -> None:
        self._define(where, name)
        key = self._key(where, vkey, Witness)
        if key.type not in SIGNS_CHECKPOINT:
            raise Malformed(where, "a witness key has signature type 0x04 or 0x06", f"0x{key.type:02x}")
        self.witnesses.append(Witness(name, key, _shown(url)))

    def _group(self, where: str, name: bytes, k: bytes, members: list[bytes]) -> None:
        words = {b"any": 1, b"all": len(members)}
        threshold = words[k] if k in words else decode_decimal(_shown(k), f"{where} threshold", maximum=len(members))
        if threshold < 1:
            raise Malformed(f"{where} threshold", "less than 1", threshold)
        for member in members:
            # "a group definition can only refer to names defined on preceding lines"; `none` "is invalid as a member"
            if member not in self.names or member == _NONE:
                raise Malformed(where, "no witness or group of this name on a preceding line", _shown(member))
            if member in self.members:  # "Each defined name can be listed as a group member at most once"
                raise Malformed(where, "a member of a group already", _shown(member))
            self.members.add(member)
        self._define(where, name)
        self.groups.append(Group(name, threshold, tuple(members)))

    def _quorum(self, where: str, name: bytes) -> None:
        if self.quorums:
            raise Malformed(where, "a second quorum line", _shown(name))
        if name not in self.names:
            raise Malformed(where, "no witness or group of this name on a preceding line", _shown(name))
        self.quorums.append(name)

    def _define(self, where: str, name: bytes) -> None:
        if name in self.names:  # "Witnesses and groups share a single namespace"
            raise Malformed(where, "the name is defined already", _shown(name))
        self.names.add(name)

    def _key(self, where: str, vkey: bytes, role: type[Log | Witness]) -> VerifierKey:
        try:
            key = parse_vkey(decode_text(vkey, "verifier key"))
        except Malformed as error:
            raise Malformed(where, f"{error.what}: {error.problem}", error.found) from None
        # "duplicate if they wrap the same underlying public key, even if they differ by key name and key id"
        if (role, key.public) in self.public:
            raise Malformed(where, "the public key is on another line already", str(key))
        if self.keys.setdefault((key.name, key.key_id), key) != key:
            raise Malformed(where, "another key has the same name and key id", str(key))
        self.public.add((role, key.public))
        return key


def _shown(octets: bytes) -> str:
    return octets.decode("utf-8", "backslashreplace")
