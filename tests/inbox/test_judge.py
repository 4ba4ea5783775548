"""Rules of an admission policy about entries: what each admits, and which reason names it when one thing is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.admissions import BY_IDENTITY, BY_KEY, KEY, SLSA, certified, policy, submitted, trusted_root
from tests.support.entry_texts import PLAIN
from tests.support.malformed import accept_or_refuse
from tests.support.reference import flipped
from tests.support.revocation_texts import REVOCATIONS
from tests.support.signed_bundles import STATEMENT, envelope_of, public, signed, signer
from tests.support.sigstore_authority import (
    IDENTITY,
    ISSUER,
    LIFETIME,
    T0,
    WORKFLOW,
    WORKFLOW_ISSUER,
    authority,
    stranger,
)
from tests.support.timestamping import Timestamp
from tiles.errors import Malformed, UsageError
from tiles.inbox.admission import MAX_ADMISSION_SIZE, OPEN, Admission, admit, parse_admission
from tiles.inbox.attachments import NONE, Attachments
from tiles.inbox.judge import _LACKS, _refusal, judge
from tiles.inbox.rules import NotAdmitted, Rule
from tiles.inbox.submission import format_submission
from tiles.sigstore.revocation import DIGEST, Revocation, Statement, parse_revocation

DOCUMENT = (Path(__file__).parents[2] / "docs" / "admission.md").read_text(encoding="utf-8")
OWN = authority()
BY_A_KEY = Rule("hashedrekord", key=KEY)
STATED = replace(BY_IDENTITY, predicate=SLSA)
MINUTE = timedelta(minutes=1)
REASON = re.compile(r"[ -~]{0,199}[!-~]", re.ASCII)
_SAID = Statement(DIGEST, "0" * 64, "broken", public(signer()).spki)
SIGNED_BY_KEY = Revocation(_SAID, signed(signer(), _SAID.text)[2]).data
BY_THE_LOG = next(
    each for each, said in REVOCATIONS.items() if said is not None and parse_revocation(each).statement.log
)

Case = tuple[bytes, Attachments]


@cache
def good() -> Case:
    """Return an entry by the identity that rules name, and what it has to have attached."""
    return submitted(certified())


@cache
def stated() -> Case:
    """Return the entry of a statement, with its envelope."""
    return submitted(certified(statement=STATEMENT))


def leaf(*names: str, **options: object) -> Callable[[], Case]:
    """Return what gives an entry whose certificate is another one."""
    return lambda: submitted(certified(OWN.leaf(*names, key=signer(9), **options)))  # type: ignore[arg-type]


def attached(**values: object) -> Callable[[], Case]:
    """Return what gives the good entry with other attachments."""
    return lambda: (good()[0], replace(good()[1], **values))  # type: ignore[arg-type]


def stamped(*stamps: Timestamp | None) -> Callable[[], Case]:
    """Return what gives the good entry with other timestamps."""
    return lambda: submitted(certified(stamps=stamps))


ADMITTED: dict[str, tuple[Rule, Callable[[], Case]]] = {
    "an identity": (BY_IDENTITY, good),
    "two timestamps": (BY_IDENTITY, stamped(None, Timestamp(T0 + 2 * MINUTE))),
    "in the last second": (BY_IDENTITY, stamped(Timestamp(T0 + LIFETIME))),
    "beside a stranger's timestamp": (
        BY_IDENTITY,
        lambda: (good()[0], Attachments((*good()[1].timestamps, b"" + _strange_stamp()))),
    ),
    "a further certificate": (BY_IDENTITY, attached(certificates=(OWN.root.der,))),
    "any of a domain": (replace(BY_IDENTITY, identity="*@example.com"), good),
    "a workflow": (
        Rule("hashedrekord", identity=WORKFLOW.replace("/app/", "/*/"), issuer=WORKFLOW_ISSUER),
        leaf(WORKFLOW, issuer=WORKFLOW_ISSUER),
    ),
    "a statement": (STATED, stated),
    "an envelope that nobody asks for": (BY_IDENTITY, attached(envelope=b"x")),
    "a key": (BY_A_KEY, lambda: (BY_KEY, NONE)),
    "a revocation": (
        Rule("revocation", key=KEY),
        lambda: (SIGNED_BY_KEY, NONE),
    ),
    "a file": (Rule("file"), lambda: (PLAIN.encode(), NONE)),
    "anything": (Rule("raw"), lambda: (b"", NONE)),
    "anyone's signature": (Rule("hashedrekord"), lambda: submitted(certified(stamps=()))),
}


def _strange_stamp() -> bytes:
    """Return another authority's timestamp of the good signature."""
    return certified(by=stranger()).timestamps[0]


@pytest.mark.parametrize("case", ADMITTED)
def test_what_is_admitted(case: str) -> None:
    """By a rule alone, and by it beside others."""
    rule, make = ADMITTED[case]
    entry, with_it = make()
    others = [Rule("blinded"), Rule("hashedrekord", key="0" * 64), replace(BY_IDENTITY, identity="nobody@example.com")]
    for admission in (policy(rule), policy(rule, *others)):
        assert parse_admission(admission.data) == admission
        judge(entry, with_it, admission.rules, admission.trusted_root)


REFUSED: dict[str, tuple[Rule, Callable[[], Case], str]] = {
    "another kind": (BY_IDENTITY, lambda: (PLAIN.encode(), NONE), "is of the kind file, and no rule admits that kind"),
    "almost of a kind": (Rule("file"), lambda: (PLAIN.encode() + b"\n", NONE), "is of the kind raw, and no rule"),
    "another identity": (
        BY_IDENTITY,
        leaf("eve@example.com"),
        "another identity or issuer; rule 1: allow hashedrekord i",
    ),
    "an identity in other letters": (BY_IDENTITY, leaf("Dev@example.com"), "another identity or issuer; rule 1"),
    "another issuer": (BY_IDENTITY, leaf(issuer="https://evil.example"), "another identity or issuer; rule 1"),
    "no issuer": (BY_IDENTITY, leaf(issuer=None, issuer_v1=""), "another identity or issuer; rule 1"),
    "two identities": (BY_IDENTITY, leaf(IDENTITY, "eve@example.com"), "another identity or issuer; rule 1"),
    "no timestamp": (BY_IDENTITY, stamped(), "no signed timestamp over its signature by an authority of the policy; r"),
    "a stranger's timestamp": (
        BY_IDENTITY,
        lambda: (good()[0], Attachments((_strange_stamp(),))),
        "no signed timestamp",
    ),
    "a timestamp twice": (
        BY_IDENTITY,
        lambda: (good()[0], Attachments(good()[1].timestamps * 2)),
        "no signed timestamp",
    ),
    "another's timestamp": (BY_IDENTITY, lambda: (good()[0], stated()[1]), "no signed timestamp"),
    "no timestamp but bytes": (BY_IDENTITY, attached(timestamps=(b"x",)), "no signed timestamp"),
    "stamped too late": (
        BY_IDENTITY,
        stamped(Timestamp(T0 + LIFETIME + MINUTE)),
        "as valid at the signed time; rule 1",
    ),
    "stamped too early": (BY_IDENTITY, stamped(Timestamp(T0 - MINUTE)), "as valid at the signed time; rule 1"),
    "one of two too late": (
        BY_IDENTITY,
        stamped(None, Timestamp(T0 + LIFETIME + MINUTE)),
        "as valid at the signed time",
    ),
    "a stranger's certificate": (
        BY_IDENTITY,
        lambda: submitted(certified(stranger().leaf(key=signer(9)))),
        "a certificate that no authority of the policy issued",
    ),
    "a stranger's authority": (
        BY_IDENTITY,
        lambda: (
            submitted(certified(stranger().leaf(key=signer(9))))[0],
            replace(good()[1], certificates=(stranger().intermediate.der, stranger().root.der)),
        ),
        "no signed timestamp",  # which was over the other signature
    ),
    "no certificate but bytes": (BY_IDENTITY, attached(certificates=(b"x",)), "no authority of the policy issued"),
    "no SCT": (BY_IDENTITY, leaf(scts=()), "without a promise (SCT) by a certificate log of the policy; rule 1"),
    "a wrong signature": (BY_IDENTITY, lambda: (_wrong(good()[0]), good()[1]), "has a wrong signature, or a key that"),
    "another key": (
        replace(BY_A_KEY, key="0" * 64),
        lambda: (BY_KEY, NONE),
        "is signed by another key; rule 1: allow has",
    ),
    "a key's wrong signature": (BY_A_KEY, lambda: (_wrong(BY_KEY), NONE), "has a wrong signature, or a key that"),
    "a key instead of an identity": (BY_IDENTITY, lambda: (BY_KEY, NONE), "signed by a key, without a certificate; r"),
    "an identity instead of a key": (BY_A_KEY, good, "is signed with a certificate; rule 1: allow hashedrekord key"),
    "no envelope": (STATED, lambda: (stated()[0], replace(stated()[1], envelope=b"")), "has no attached envelope with"),
    "another's envelope": (
        STATED,
        lambda: (stated()[0], replace(stated()[1], envelope=envelope_of(signer(7), STATEMENT).data)),
        "has no attached envelope with the statement that was signed; rule 1",
    ),
    "no statement": (STATED, good, "has no attached envelope"),
    "another type": (
        replace(STATED, predicate="https://spdx.dev/Document"),
        stated,
        "is a statement of another type; r",
    ),
    "another key's revocation": (
        Rule("revocation", key=KEY[:-1] + "0"),
        lambda: (SIGNED_BY_KEY, NONE),
        "is signed by another key; rule 1: allow revocation key",
    ),
    "a wrong revocation": (
        Rule("revocation", key=KEY),
        lambda: (SIGNED_BY_KEY.replace(b"reason broken", b"reason others"), NONE),
        "has a signature that is wrong, or by a log; rule 1: allow revocation key",
    ),
    "a revocation by the log": (
        Rule("revocation", key=KEY),
        lambda: (BY_THE_LOG, NONE),
        "has a signature that is wrong, or by a log; rule 1",
    ),
}


def _wrong(entry: bytes) -> bytes:
    """Return an entry whose digest is another one, so that its signature is wrong."""
    at = entry.index(b'"digest":"') + 10
    return entry[:at] + (b"A" if entry[at : at + 1] != b"A" else b"B") + entry[at + 1 :]


@pytest.mark.parametrize("case", REFUSED)
def test_each_rule_broken_once(case: str) -> None:
    """The reason names what is wrong and the rule, in one short line, and nothing of what was submitted."""
    rule, make, reason = REFUSED[case]
    entry, with_it = make()
    admission = policy(rule)
    with pytest.raises(NotAdmitted) as refused:
        judge(entry, with_it, admission.rules, admission.trusted_root)
    assert reason in refused.value.message
    assert REASON.fullmatch(f"entry 1048575 {refused.value.message}")
    assert "eve" not in refused.value.message


def test_which_rule_is_shown() -> None:
    """Of several rules, the first that could have admitted the entry, with how many others could have."""
    admission = policy(BY_IDENTITY, *(Rule("hashedrekord", key=f"{number:064x}") for number in range(3)), Rule("file"))
    entry, with_it = submitted(certified(OWN.leaf("eve@example.com", key=signer(9))))
    for what, beside, shown in (
        (BY_KEY, NONE, "is signed by another key; rule 3 and 2 more: allow hashedrekord key 000"),
        (entry, with_it, "of another identity or issuer; rule 2: allow hashedrekord identity"),
    ):
        with pytest.raises(NotAdmitted) as refused:
            judge(what, beside, admission.rules, admission.trusted_root)
        assert shown in refused.value.message


def test_every_reason_fits() -> None:
    """The longest reason with the largest numbers fits where a batch keeps reasons."""
    rule = Rule("hashedrekord", identity="i" * 1024, issuer="i" * 1024)
    problems = [*_LACKS.values(), "has no attached envelope with the statement that was signed"]
    for problem in problems:
        said = _refusal(problem, [(1024, rule)] * 1024)
        assert REASON.fullmatch(f"entry 1048575 {said.message}")


def test_a_submission_is_admitted_as_a_whole() -> None:
    """One entry that no rule admits refuses it; the reason says which one, and attachments go by position."""
    entry, with_it = good()
    admission = policy(BY_IDENTITY, Rule("file"))

    def admitted(*entries: bytes, at: int) -> Sequence[bytes]:
        data = format_submission(entries, attached={at: with_it})
        return admit(f"ann/{'0' * 32}-{sha256(data).hexdigest()}", data, admission).entries

    assert admitted(PLAIN.encode(), entry, at=1) == [PLAIN.encode(), entry]
    for entries, at, reason in (
        ((PLAIN.encode(), entry), 0, "entry 1 has no signed timestamp"),
        ((entry, b"raw"), 0, "entry 1 is of the kind raw, and no rule admits that kind"),
    ):
        with pytest.raises(NotAdmitted, match=rf"^{re.escape(reason)}"):
            admitted(*entries, at=at)


def test_without_rules_nothing_is_judged() -> None:
    """A policy as it was before means what it meant: attachments and signatures are not looked at."""
    data = format_submission([_wrong(BY_KEY), b""], attached={1: Attachments((b"x",), (b"x",), b"x")})
    assert admit(f"ann/{'0' * 32}-{sha256(data).hexdigest()}", data, OPEN).entries == [_wrong(BY_KEY), b""]


@given(st.binary(max_size=50), st.binary(max_size=50), st.binary(max_size=50), st.integers(0, 8 * 1000))
def test_hostile_attachments_give_a_harmless_reason(
    timestamp: bytes, certificate: bytes, envelope: bytes, bit: int
) -> None:
    """Whatever is attached, and whatever bit of the entry is changed, an entry is admitted or refused by one line."""
    admission = policy(STATED, BY_A_KEY)
    entry, with_it = stated()
    for what, beside in (
        (entry, Attachments((timestamp,), (certificate,), envelope)),
        (flipped(entry, bit), with_it),
        (entry, replace(with_it, envelope=flipped(with_it.envelope, bit % (8 * len(with_it.envelope))))),
    ):
        reason = "admitted"
        try:
            judge(what, beside, admission.rules, admission.trusted_root)
        except NotAdmitted as refused:
            reason = refused.message
        assert REASON.fullmatch(f"entry 0 {reason}")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"judge writer\n", b"judge writer\njudge writer\n"),
        (b"judge writer\nallow file anyone\n", b"allow file anyone\njudge writer\n"),
        (b"judge writer", b"judge writers"),
        (b"judge writer", b"judge"),
        (b"submitter ann\ntrusted-root", b"trusted-root"),
        (b"submitter ann\n", b"allow file anyone\n"),
        (b"trusted-root ", b"trusted-root  "),
        (b"trusted-root ", b"trusted-root ="),
        (b"allow file anyone\n", b""),
        (b"allow file anyone\n", b"allow file anyone\nallow file anyone\n"),
        (b"allow file anyone\n", b"allow raw anyone\n"),
    ],
)
def test_almost_a_policy_with_rules(old: bytes, new: bytes) -> None:
    """One wrong thing each, or another policy."""
    text = policy(BY_IDENTITY, Rule("file"), submitters=("ann",), judges_writer=True).data
    assert old in text
    changed = text.replace(old, new, 1)
    accept_or_refuse(parse_admission, lambda admission: admission.data, changed)
    with suppress(Malformed):
        assert parse_admission(changed) != parse_admission(text)


@pytest.mark.parametrize(
    ("rules", "root", "says"),
    [
        ((BY_IDENTITY,), b"", "need each other"),
        ((BY_A_KEY,), b"{}", "need each other"),
        ((BY_IDENTITY,), b"{}", "trusted root"),
        ((BY_IDENTITY,), b"x", "trusted root"),
        ((BY_A_KEY, BY_A_KEY), b"", "once each, sorted"),
        ((Rule("raw"), Rule("file")), b"", "once each, sorted"),
        (tuple(Rule("hashedrekord", key=f"{n:064x}") for n in range(1025)), b"", "1024 at most"),
    ],
)
def test_what_no_policy_can_say(rules: tuple[Rule, ...], root: bytes, says: str) -> None:
    """Rules out of order, or with and without a trusted root where the other is missing."""
    with pytest.raises(UsageError, match=says):
        Admission(rules=rules, trusted_root=root)


def test_nobody_is_judged_without_rules() -> None:
    """The line for the writer alone would say nothing."""
    with pytest.raises(UsageError, match="no rules by which the writer"):
        Admission(judges_writer=True)


def test_a_trusted_root_has_all_that_judges() -> None:
    """One without an authority, a certificate log or a timestamp authority could only ever refuse."""
    for name in (b'"certificateAuthorities"', b'"ctlogs"', b'"timestampAuthorities"'):
        with pytest.raises(UsageError, match="needs a certificate authority, a certificate log and a timestamp auth"):
            Admission(rules=(BY_IDENTITY,), trusted_root=trusted_root().replace(name, b'"others"'))


def test_the_policies_in_the_document() -> None:
    """Each whole one is read, and says what the text around it says."""
    blocks = re.findall(r"(?:^    \S.*\n)+", DOCUMENT, re.MULTILINE)
    texts = [
        re.sub("^    ", "", block, flags=re.MULTILINE).encode() for block in blocks if "    tiletree-adm" in block[:18]
    ]
    limits, rules = (parse_admission(text) for text in texts if b"<" not in text)
    assert limits == Admission(max_entries=1000, submitters=("ann", "ci"))
    assert [rule.kind for rule in rules.rules] == ["file", "hashedrekord", "revocation"]
    assert rules.judges_writer


def test_the_refusals_in_the_document() -> None:
    """They are what the code says."""
    said = re.findall(r"^    entry \d+ ([^;\n]+)", DOCUMENT, re.MULTILINE)
    assert len(said) == 3
    assert set(said) <= {*_LACKS.values(), "is of the kind raw, and no rule admits that kind"}


def test_the_text() -> None:
    """The lines in their order; a long text is not a policy."""
    admission = policy(BY_IDENTITY, Rule("file"), submitters=("ann",), judges_writer=True)
    lines = admission.data.decode().splitlines()
    assert lines[:2] == ["tiletree-admission/v1", "submitter ann"]
    assert lines[2].startswith("trusted-root eyJ")
    assert lines[3] == "judge writer"
    assert parse_admission(admission.data) == admission
    assert lines[4:] == ["allow file anyone", f"allow hashedrekord identity {IDENTITY} issuer {ISSUER}"]
    with pytest.raises(UsageError, match="at most"):
        Admission(rules=(BY_IDENTITY,), trusted_root=trusted_root() + b" " * MAX_ADMISSION_SIZE)
