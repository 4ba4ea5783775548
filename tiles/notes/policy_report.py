"""What a policy asks for, what a checkpoint has of it, and what is odd about the policy itself. Pure.

`Policy.accept` decides. What is said here is for people: `tiletree policy check` prints it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tiles.errors import LogError, SignatureError
from tiles.notes.checkpoint import SignedCheckpoint
from tiles.notes.keys import SignatureType, VerifierKey
from tiles.notes.note import MAX_SIGNATURES, Signature
from tiles.notes.policy import Policy, Witness
from tiles.notes.quorum import Standing, shown, standing
from tiles.notes.tree_head_signature import verify_tree_head
from tiles.notes.verified_signatures import verify_line

# what a signature line comes to
BY_LOG = "log"  # by the log: it signs the checkpoint
BY_WITNESS = "cosignature"  # by a witness of the quorum
OUTSIDE = "outside"  # by a witness that the quorum does not name
OTHER_LOG = "other-log"  # by a key of the policy that is of another origin
PARTIAL = "no-extensions"  # by the log, and it leaves the extension lines out
UNKNOWN = "unknown"  # the policy has no such key
WRONG = "wrong"  # by a key of the policy, and it does not verify: nothing of the checkpoint is accepted

OTHERS_TAKE = 16  # signature lines that every implementation accepts: signed-note, "MUST accept at least up to 16"


@dataclass(frozen=True, slots=True)
class Line:
    """A signature line of a checkpoint, and what it comes to under a policy.

    comes_to   one of the words above
    key        of the policy; None if it has none for this line
    witness    its name in the policy, in text; "" for a line of no witness
    time       POSIX seconds, of a cosignature that verifies, and of a log that signs like a witness; 0: it states none
    problem    why it does not verify, or ""
    """

    signature: Signature
    comes_to: str
    key: VerifierKey | None = None
    witness: str = ""
    time: int | None = None
    problem: str = ""

    @property
    def counts(self) -> bool:
        """Whether the checkpoint would have less without it."""
        return self.comes_to in (BY_LOG, BY_WITNESS)


@dataclass(frozen=True, slots=True)
class Report:
    """What a checkpoint has of what a policy asks for.

    lines     each signature line, in the order of the note
    quorum    how the quorum stands; None where no witness is asked for
    refusal   the error for which the policy does not accept it; None if it does
    """

    lines: tuple[Line, ...]
    quorum: Standing | None
    refusal: LogError | None


@dataclass(frozen=True, slots=True)
class Remark:
    """What somebody who wrote a policy may not have meant. kind: a short word for programs."""

    kind: str
    text: str


def report(policy: Policy, signed: SignedCheckpoint) -> Report:
    """Return what a checkpoint has of what a policy asks for. Raises nothing: what is wrong is in the report."""
    lines = tuple(_line(policy, signed, signature) for signature in signed.note.signatures)
    right = {line.key for line in lines if line.comes_to != WRONG}
    cosigned = {witness.key for witness in policy.witnesses if witness.key in right}
    refusal: LogError | None = None
    try:
        policy.accept(signed)
    except LogError as error:
        refusal = error
    return Report(lines, standing(policy, cosigned), refusal)


def _line(policy: Policy, signed: SignedCheckpoint, signature: Signature) -> Line:
    witness = next((one for one in policy.witnesses if signature.claims(one.key)), None)
    log = next((one.key for one in policy.logs if signature.claims(one.key)), None)
    key = log or (witness.key if witness else None)
    if key is None:
        return Line(signature, UNKNOWN)
    name = shown(witness.name) if witness else ""
    try:
        time = _verified(signed, signature, key)
    except SignatureError as error:
        return Line(signature, WRONG, key, name, problem=error.message)
    return Line(signature, _comes_to(policy, signed, log, witness), key, name, time)


def _verified(signed: SignedCheckpoint, signature: Signature, key: VerifierKey) -> int | None:
    """Return the time that a signature states, if its kind states one. Raises SignatureError."""
    if key.type == SignatureType.RFC6962:
        return verify_tree_head(signed.checkpoint, signature, key) // 1000
    made = verify_line(signed.checkpoint, signature, key)
    return made.timestamp if made is not None else None


def _comes_to(policy: Policy, signed: SignedCheckpoint, log: VerifierKey | None, witness: Witness | None) -> str:
    """Return what a signature that verifies comes to. log, witness: of the policy, whose key it is; one is given."""
    is_log = log is not None and log.name == signed.origin
    if is_log and not (signed.checkpoint.extensions and log is not None and log.type == SignatureType.MLDSA44):
        return BY_LOG
    if witness is not None:
        quorum = standing(policy)
        return BY_WITNESS if quorum is not None and witness.name in quorum.witnesses else OUTSIDE
    return PARTIAL if is_log else OTHER_LOG


# ---- what is odd about a policy


def remarks(policy: Policy) -> tuple[Remark, ...]:
    """Return what whoever wrote a policy, or is to use it, should know of it."""
    return tuple(_remarks(policy))


def _remarks(policy: Policy) -> Iterator[Remark]:
    yield from _of_logs(policy)
    quorum = standing(policy)
    if quorum is not None:
        yield from _of_quorum(policy, quorum)
    elif policy.logs:
        text = "no witness is asked for: the log alone can show different histories to different readers, undated"
        yield Remark("no-quorum", text)
    inside = set() if quorum is None else {one.name for _, one in quorum.walk()}
    defined = [*(witness.name for witness in policy.witnesses), *(group.name for group in policy.groups)]
    outside = [shown(name) for name in defined if name not in inside]
    if outside:
        text = f"the quorum does not name these, so whether they cosign changes nothing: {', '.join(outside)}"
        yield Remark("outside", text)
    yield from _of_operators(policy)


def _of_logs(policy: Policy) -> Iterator[Remark]:
    if not policy.logs:
        yield Remark("no-log", "there is no log line, so this policy accepts no checkpoint")
    keys = Counter(log.key.name for log in policy.logs)
    for origin, count in keys.items():
        if count == 1:
            continue
        yield Remark("either-key", f"{count} log lines name {origin}: a signature by any one of these keys is enough")
        types = {log.key.type for log in policy.logs if log.key.name == origin}
        if SignatureType.MLDSA44 in types and len(types) > 1:
            text = f"of {origin}, one line is ML-DSA-44 and another is not, and either is enough: whoever wants "
            yield Remark("not-post-quantum", f"{text}post-quantum strength pins the ML-DSA-44 line alone")
    if len(keys) > 1:
        text = f"checkpoints of any one of {len(keys)} logs are accepted: {', '.join(keys)}"
        yield Remark("either-log", text)


def _of_quorum(policy: Policy, quorum: Standing) -> Iterator[Remark]:
    least = quorum.smallest
    takes = f"the quorum takes {least} cosignatures at least"
    if least + 1 > MAX_SIGNATURES:
        text = f"{takes}, and a checkpoint has at most {MAX_SIGNATURES} signature lines: it can never be met"
        yield Remark("never", text)
    elif least + 1 > OTHERS_TAKE:
        text = f"{takes}, and other implementations may take no more than {OTHERS_TAKE} signature lines"
        yield Remark("many", text)
    inside = [witness for witness in policy.witnesses if witness.name in quorum.witnesses]
    needed = [shown(witness.name) for witness in inside if not _can_do_without(policy, witness)]
    if needed:
        text = f"without {_either(needed)} nothing is accepted: if one is away, the log cannot publish"
        yield Remark("no-spare", text)
    classical = [shown(witness.name) for witness in inside if witness.key.type != SignatureType.MLDSA44]
    if policy.logs and classical and all(log.key.type == SignatureType.MLDSA44 for log in policy.logs):
        text = f"the log's line is ML-DSA-44, and the keys of these witnesses are not: {', '.join(classical)}"
        yield Remark("cosignatures-not-post-quantum", text)
    logs = {log.key.public: log.key.name for log in policy.logs}
    for witness in inside:
        if witness.key.public in logs:
            text = f"the witness {shown(witness.name)} has the key of the log {logs[witness.key.public]}: its "
            yield Remark("log-as-witness", f"{text}cosignature says nothing that the log does not say itself")


def _can_do_without(policy: Policy, witness: Witness) -> bool:
    quorum = standing(policy, {one.key for one in policy.witnesses if one is not witness})
    return quorum is not None and quorum.met


def _of_operators(policy: Policy) -> Iterator[Remark]:
    """Say whose names or addresses suggest one operator. Names of keys can be anything, so it is only "may be"."""
    logs = {domain: log.key.name for log in policy.logs for domain in _domains(log.key, log.url)}
    domains: dict[str, list[str]] = {}
    for witness in policy.witnesses:
        for domain in sorted(_domains(witness.key, witness.url)):
            domains.setdefault(domain, []).append(shown(witness.name))
    for domain, names in domains.items():
        if len(names) > 1:
            text = f"these witnesses may be run by one operator, {domain}, and then count as several and are one: "
            yield Remark("same-operator", f"{text}{', '.join(names)}")
        if domain in logs:
            text = f"{', '.join(names)} may be run by whoever runs the log {logs[domain]}, {domain}: a witness of its "
            yield Remark("log-operator", f"{text}own keeps a log from nothing")


def _domains(key: VerifierKey, url: str) -> set[str]:
    """Return the domains that a key's name and its address are in, as far as they look like host names."""
    return {_domain(host) for text in (key.name, url) if (host := _host(text))}


def _host(text: str) -> str:
    """Return the host in an address, or in a key's name that begins with one; "" for anything else."""
    host = text.partition("://")[2] or text
    host = host.partition("/")[0].rpartition("@")[2].partition(":")[0].lower().rstrip(".")
    return host if "." in host and host.isascii() else ""


def _domain(host: str) -> str:
    """Return the host without its first label, if what is left looks like a name that somebody has registered.

    No list of public suffixes is asked: of "w.example.co.uk" nothing is left out, as "co" may be one.
    """
    rest = host.partition(".")[2]
    first, dot, _ = rest.partition(".")
    return rest if dot and len(first) > 3 and not host.replace(".", "").isdigit() else host


def _either(names: list[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
