"""The admission policy: which submissions become part of the log, and why the others do not. Pure.

    tiletree-admission/v1\\n
    max-submission-bytes <n>\\n      of the whole object; 16 MiB unless said
    max-entries <n>\\n               of one submission; 65,536 unless said
    max-entry-bytes <n>\\n           65,535 unless said
    max-payload-bytes <n>\\n         of one file that is to be published; none is unless said
    submitter <name>\\n              repeated, sorted; without any, everyone whom the storage lets write
    trusted-root <base64>\\n        a trusted_root.json, by which rules judge certificates
    judge writer\\n                 the rules are for what the writer appends, too
    allow <kind> …\\n               repeated, sorted (`tiles.inbox.rules`); without any, all entries

All lines but the first may be left out, and a line that states a default must be. So one policy has one text, and the
head commits to its SHA-256. Whether the policy admits a submission follows from the submission's name and bytes alone,
and not from a clock or a claim of the submitter. So every run decides the same. docs/admission.md has the format.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import pairwise

from tiles.errors import Malformed, Refused, UsageError
from tiles.inbox.attachments import MOST, NONE, Attachments
from tiles.inbox.payloads import payloads_of
from tiles.inbox.rules import MOST_RULES, NotAdmitted, Rule, parse_rule
from tiles.inbox.submission import Name, Submission, count_entries, is_submitter, parse_name, read_submission
from tiles.notes.encoding import decode_base64, decode_decimal, decode_text, encode_base64
from tiles.tree.bundle import MAX_ENTRY_SIZE

TITLE = "tiletree-admission/v1"
MAX_ADMISSION_SIZE = 1 << 20  # bytes of the text
_JUDGED = "judge writer"  # the line
_SORTED = "sorted as text (LC_ALL=C sort)"

# With these limits every admitted submission fits into one commit (at most 2^20 entries, staged as one object).
MOST_SUBMISSION_BYTES = 256 << 20
MOST_ENTRIES = 1 << 20

_SHORTEST = len("tiletree-submission/v1\nentries 1\n\n") + 2  # bytes of one empty entry
_LIMITS = (  # names of lines, their defaults, and what they can say at most
    ("max-submission-bytes", 16 << 20, MOST_SUBMISSION_BYTES),
    ("max-entries", 65_536, MOST_ENTRIES),
    ("max-entry-bytes", MAX_ENTRY_SIZE, MAX_ENTRY_SIZE),
    ("max-payload-bytes", 0, MOST["payload"][1]),
)


@dataclass(frozen=True, slots=True)
class Admission:
    """An admission policy.

    max_submission_bytes   1 to MOST_SUBMISSION_BYTES
    max_entries            of one submission, 1 to MOST_ENTRIES
    max_entry_bytes        1 to 65,535
    submitters             whose submissions are admitted, sorted; () for everyone's
    rules                  one of which has to admit each entry, sorted by their lines; () for all entries
    trusted_root           the file by which certificates are judged; there exactly if a rule names an identity
    judges_writer          the rules are for what the writer appends, too
    max_payload_bytes      of a file that is to be published with its entry, less than max_submission_bytes; 0: none is
    Raises UsageError for what no text can state.
    """

    max_submission_bytes: int = _LIMITS[0][1]
    max_entries: int = _LIMITS[1][1]
    max_entry_bytes: int = _LIMITS[2][1]
    submitters: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    trusted_root: bytes = field(default=b"", repr=False)
    judges_writer: bool = False
    max_payload_bytes: int = _LIMITS[3][1]

    def __post_init__(self) -> None:
        for (name, default, most), value in zip(_LIMITS, self._values, strict=True):
            if not (1 <= value <= most or value == default):
                raise UsageError(f"{name} is between 1 and {most}, not {value}")
        if self.max_payload_bytes >= self.max_submission_bytes:
            raise UsageError("a payload is part of its submission: max-payload-bytes is less than max-submission-bytes")
        for submitter in self.submitters:
            if not is_submitter(submitter):
                raise UsageError(f"{submitter!r} cannot be the name of a submitter")
        for before, submitter in pairwise(self.submitters):
            if submitter <= before:
                raise UsageError(f"submitters stand once each, {_SORTED}: {submitter!r} cannot follow {before!r}")
        self._check_rules()
        if len(self.data) > MAX_ADMISSION_SIZE:
            raise UsageError(f"an admission policy has at most {MAX_ADMISSION_SIZE} bytes, not {len(self.data)}")

    def _check_rules(self) -> None:
        lines = [rule.line for rule in self.rules]
        if lines != sorted(set(lines)) or len(lines) > MOST_RULES:
            raise UsageError(f"rules (allow …) stand once each, {_SORTED}, {MOST_RULES} at most")
        if any(rule.identity for rule in self.rules) != bool(self.trusted_root):
            raise UsageError("a trusted-root line and rules that name an identity need each other")
        if self.judges_writer and not self.rules:
            raise UsageError("there are no rules by which the writer could be judged")
        if self.trusted_root:
            from tiles.inbox.judge import check_root  # slow to import, and not needed where no certificate is judged

            check_root(self.trusted_root)

    @property
    def _values(self) -> tuple[int, ...]:
        return self.max_submission_bytes, self.max_entries, self.max_entry_bytes, self.max_payload_bytes

    @property
    def data(self) -> bytes:
        """The policy as it is stored."""
        limits = zip(_LIMITS, self._values, strict=True)
        lines = [f"{name} {value}\n" for (name, default, _), value in limits if value != default]
        lines += [f"submitter {submitter}\n" for submitter in self.submitters]
        lines += [f"trusted-root {encode_base64(self.trusted_root)}\n"] if self.trusted_root else []
        lines += [f"{_JUDGED}\n"] if self.judges_writer else []
        lines += [f"{rule.line}\n" for rule in self.rules]
        return f"{TITLE}\n{''.join(lines)}".encode("ascii")

    @property
    def sha256(self) -> str:
        """The SHA-256 of the policy's text, in lower-case hex, by which a head names the policy."""
        return sha256(self.data).hexdigest()


OPEN = Admission()  # admits every submission within the default limits


def parse_admission(data: bytes) -> Admission:
    """Return the policy whose `Admission.data` is `data`. Raises Malformed if there is none."""
    if len(data) > MAX_ADMISSION_SIZE:
        raise Malformed(TITLE, f"more than {MAX_ADMISSION_SIZE} bytes", len(data))
    title, *lines = decode_text(data, TITLE).split("\n")
    if title != TITLE:
        raise Malformed(TITLE, f"its first line has to be {TITLE}", data[:80])
    if not lines or lines.pop():
        raise Malformed(TITLE, "its last line does not end in newline", data[-80:])
    values, number = [], 2  # of the next line
    for name, default, most in _LIMITS:
        value = default
        if lines and lines[0].startswith(f"{name} "):
            value = decode_decimal(lines.pop(0).removeprefix(f"{name} "), f"{TITLE} line {number}", maximum=most)
            number += 1
        values.append(value)
    size, count, longest, payload = values
    try:
        admission = Admission(size, count, longest, *_parse_lines(lines, number), payload)
    except UsageError as error:
        raise Malformed(TITLE, error.message) from None
    if admission.data != data:
        pairs = zip(data.split(b"\n"), admission.data.split(b"\n"), strict=False)
        other = next(at for at, (given, wanted) in enumerate(pairs, 1) if given != wanted)
        problem = "it is not where it belongs, or states a default, which is left out"
        raise Malformed(f"{TITLE} line {other}", problem, data[:80])
    return admission


def _parse_lines(lines: list[str], number: int) -> tuple[tuple[str, ...], tuple[Rule, ...], bytes, bool]:
    """Return all values but the limits. Raises Malformed; lines in another order, or twice, have another text.

    number   of the first of these lines in the text
    """
    submitters: list[str] = []
    rules: list[Rule] = []
    root, judges_writer = b"", False
    for at, line in enumerate(lines, number):
        name, _, value = line.partition(" ")
        if name == "submitter":
            submitters.append(value)
        elif name == "trusted-root":
            root = decode_base64(value, f"{TITLE} line {at}")
        elif line == _JUDGED:
            judges_writer = True
        elif name == "allow":
            rules.append(parse_rule(line, f"{TITLE} line {at}"))
        else:
            raise Malformed(f"{TITLE} line {at}", "it is unknown, or not where it belongs", line)
    return tuple(submitters), tuple(rules), root, judges_writer


def refusal_before_reading(name: str, size: int, admission: Admission) -> str | None:
    """Return why an object is refused whatever its content is; None if the content has to be read to decide.

    name   of the object below `inbox/`
    size   in bytes
    """
    try:
        parsed = parse_name(name)
    except Malformed:
        return "the name is not <submitter>/<32 lower-case hex digits>-<SHA-256 of the object>"
    return _refusal(parsed, size, admission)


@dataclass(frozen=True, slots=True)
class Admitted:
    """What is taken of a submission.

    entries    in order
    once       an entry that is in the log already is not logged again
    payloads   the files that are published before these are logged, by the path in the public part
    """

    entries: Sequence[bytes] = field(repr=False)
    once: bool = False
    payloads: Mapping[str, bytes] = field(default_factory=dict, repr=False)


def admit(name: str, data: bytes, admission: Admission) -> Admitted:
    """Return what is taken of the object `name` (below `inbox/`), which holds `data`. Raises NotAdmitted."""
    reason = refusal_before_reading(name, len(data), admission)
    if reason is not None:
        raise NotAdmitted(reason)
    if (found := sha256(data).hexdigest()) != parse_name(name).digest:
        raise NotAdmitted(f"the content has another SHA-256 than the name says: {found}")
    try:
        # before the entries are cut out, as there could be very many
        if (count := count_entries(data)) > admission.max_entries:
            raise NotAdmitted(f"{count} entries, {admission.max_entries} is the most")
        submission = read_submission(data)
    except Malformed as error:
        raise NotAdmitted(error.plain) from None
    if (longest := max(map(len, submission.entries))) > admission.max_entry_bytes:
        raise NotAdmitted(f"an entry has {longest} bytes, {admission.max_entry_bytes} is the most")
    if admission.rules:
        _judge(submission, admission)
    return Admitted(submission.entries, submission.once, payloads_of(submission, admission.max_payload_bytes))


def check_writer(entries: Sequence[bytes], attached: Mapping[int, Attachments], admission: Admission) -> None:
    """Raise Refused for an entry that no rule admits, if the rules are for what the writer appends, too.

    attached   by what entries are judged, by their positions from 0
    """
    if not admission.judges_writer:
        return
    try:
        _judge(Submission(entries, attached=attached), admission)
    except NotAdmitted as refusal:
        raise Refused(
            f"the log's admission policy, which is for its writer too, does not admit this: {refusal.message}",
            hint="nothing was added; docs/admission.md says what rules admit",
        ) from None


def _judge(submission: Submission, admission: Admission) -> None:
    """Raise NotAdmitted for the first entry that no rule admits."""
    from tiles.inbox.judge import judge  # slow to import, and not needed where there are no rules

    for position, entry in enumerate(submission.entries):
        try:
            judge(entry, submission.attached.get(position, NONE), admission.rules, admission.trusted_root)
        except NotAdmitted as refusal:
            raise NotAdmitted(f"entry {position} {refusal.message}") from None


def _refusal(name: Name, size: int, admission: Admission) -> str | None:
    if admission.submitters and name.submitter not in admission.submitters:
        return f"the submitter {name.submitter} is not admitted"
    if size > admission.max_submission_bytes:
        return f"{size} bytes, {admission.max_submission_bytes} is the most"
    if size < _SHORTEST:
        return f"{size} bytes, which is less than any submission has"
    return None
