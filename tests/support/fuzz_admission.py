"""Submissions with attachments, policies with rules, and what these decide: what is damaged in `fuzzing`, beside the
other parsers.
"""

from __future__ import annotations

import re
from hashlib import sha256

from tests.support.admissions import BY_IDENTITY, BY_KEY, KEY, SLSA, certified, policy, submitted
from tests.support.fuzz_parsers import Target, encoded, of_text
from tests.support.signed_bundles import STATEMENT
from tests.support.sigstore_authority import IDENTITY, ISSUER
from tiles.entries.file_digest import digest_entry
from tiles.inbox.admission import admit, parse_admission
from tiles.inbox.attachments import Attachments
from tiles.inbox.rules import NotAdmitted, Rule, parse_rule
from tiles.inbox.submission import Submission, format_submission, read_submission

_BY_KEY = Rule("hashedrekord", key=KEY)
_STATED = Rule("hashedrekord", identity=IDENTITY, issuer=ISSUER, predicate=SLSA)
_POLICY = policy(_STATED, _BY_KEY, Rule("file"), max_payload_bytes=9)
_ENTRY, _ATTACHED = submitted(certified(statement=STATEMENT))
_SMALL = {0: Attachments(envelope=b"{}", payload=b""), 1: Attachments((b"t", b"tt"), (b"c",), payload=b"p")}
_FILE = digest_entry(sha256(b"file").hexdigest(), 4)
_REASON = re.compile(r"[ -~]{0,199}[!-~]", re.ASCII)


def _form(found: Submission) -> bytes:
    return format_submission(found.entries, once=found.once, attached=found.attached)


def _decided(data: bytes) -> bytes:
    """Return the same, if it is admitted. A reason that no batch could hold is raised as what nobody expects."""
    try:
        admit(f"ann/{'0' * 32}-{sha256(data).hexdigest()}", data, _POLICY)
    except NotAdmitted as refusal:
        if not _REASON.fullmatch(refusal.message):
            raise AssertionError(refusal.message) from refusal
        raise
    return data


ADMISSION = (
    Target(
        "submission with attachments",
        read_submission,
        _form,
        (
            format_submission([b"one", b""], attached=_SMALL),
            format_submission([_ENTRY], once=True, attached={0: _ATTACHED}),
        ),
    ),
    Target(
        "admission policy with rules",
        parse_admission,
        lambda admission: admission.data,
        (_POLICY.data, policy(_BY_KEY, Rule("raw"), max_entries=7, submitters=("ann",)).data),
    ),
    Target(
        "rule",
        of_text(lambda text: parse_rule(text, "rule")),
        encoded(lambda rule: rule.line),
        tuple(rule.line.encode() for rule in (BY_IDENTITY, _STATED, _BY_KEY, Rule("raw"))),
    ),
    Target(
        "what a policy decides",
        _decided,
        lambda data: data,
        (
            format_submission([_ENTRY], attached={0: _ATTACHED}),
            format_submission([BY_KEY, _ENTRY], attached={1: _ATTACHED}),
            format_submission([_FILE], attached={0: Attachments(payload=b"file")}),
        ),
        refusals=(NotAdmitted,),
    ),
)
