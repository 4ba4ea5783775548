"""Policies: the specification's example, and every rule of the file format."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.signed_text import (
    CHECKPOINT,
    COSIGNATURE,
    EXAMPLE,
    LOG,
    LOG_LINE,
    MLDSA44,
    ORIGIN,
    VECTORS,
    WITNESS_LINES,
    WITNESSES,
    X1,
    X1_PUBLIC,
    X2,
    X3,
    cosigned,
    key,
    malformed,
    policy,
    signed,
)
from tiles.errors import Malformed, PolicyError, SignatureError, UsageError
from tiles.notes.keys import VerifierKey, signing_key
from tiles.notes.policy import MAX_POLICY_LINES, MAX_POLICY_SIZE, Group, Log, Witness, parse_policy, policy_for


def test_example() -> None:
    """The example policy is read as the specification explains it."""
    parsed = policy(EXAMPLE)
    assert parsed.logs == (Log(LOG.verifier),)
    assert parsed.witnesses == tuple(Witness(name.encode(), by.verifier) for name, by in WITNESSES.items())
    assert parsed.groups == (
        Group(b"X-witnesses", 2, (b"X1", b"X2", b"X3")),
        Group(b"Y-witnesses", 1, (b"Y1", b"Y2", b"Y3")),
        Group(b"X-and-Y", 2, (b"X-witnesses", b"Y-witnesses")),
    )
    assert parsed.quorum == b"X-and-Y"
    assert parsed.needs_witnesses
    assert parsed.data == EXAMPLE.encode()
    assert parsed.sha256 == sha256(EXAMPLE.encode()).hexdigest()


def test_policy_for_a_key() -> None:
    """A key alone is the policy of that log without witnesses."""
    parsed = policy_for(LOG.verifier)
    assert parsed.data == f"{LOG_LINE}quorum none\n".encode()
    assert parsed == parse_policy(parsed.data)
    assert not parsed.needs_witnesses
    accepted = parsed.accept(cosigned("X1"))
    assert (accepted.log, accepted.cosignatures) == (LOG.verifier, ())
    with pytest.raises(UsageError, match="no policy can name"):
        policy_for(signing_key("a\x7fb", bytes(32)).verifier)


VALID = {
    "no logs": "quorum none\n",
    "quorum first": f"quorum none\n{LOG_LINE}",
    "lines in any order": f"witness X1 {X1}\n{LOG_LINE}quorum X1\nwitness X2 {X2}\n",
    "white space, empty lines, comments": f" \t\n#\n\t # quorum X2\n\t witness\t \tX1  {X1} \t\n\n quorum\tX1 \n#",
    "URLs": f"log {LOG.verifier.vkey} https://log.example.com/\nwitness X1 {X1} https://w.example/#a\nquorum none\n",
    "numbers, keywords and marks as names": (
        f"witness 1 {X1}\nwitness all {X2}\nwitness #x {X3}\ngroup any any 1 all #x\nquorum any\n"
    ),
    "group of all by number": f"{WITNESS_LINES}group g 6 X1 X2 X3 Y1 Y2 Y3\nquorum g\n",
    "group of one": f"witness X1 {X1}\ngroup g all X1\nquorum g\n",
    "group that nothing uses": f"witness X1 {X1}\ngroup g any X1\nquorum none\n",
    "quorum that is a member too": f"witness X1 {X1}\ngroup g any X1\nquorum X1\n",
    "one Ed25519 key as log and as witness": (
        f"{LOG_LINE}witness w {VerifierKey('w', COSIGNATURE, LOG.verifier.public).vkey}\nquorum none\n"
    ),
}


@pytest.mark.parametrize("text", VALID.values(), ids=VALID)
def test_valid(text: str) -> None:
    """What the specification allows is read."""
    text += "" if text.endswith("\n") else "\n"
    assert policy(text).data == text.encode()


def test_urls() -> None:
    """The optional URL of logs and witnesses is kept; without one it is empty."""
    parsed = policy(VALID["URLs"] + f"witness X2 {X2}\n")
    assert [log.url for log in parsed.logs] == ["https://log.example.com/"]
    assert [witness.url for witness in parsed.witnesses] == ["https://w.example/#a", ""]


def test_names_are_octets() -> None:
    """K and the Kelvin sign, composed and decomposed letters, and octets that are no UTF-8 are different names."""
    names = [b"K", "\u212a".encode(), "é".encode(), "e\u0301".encode(), b"\xff", b"\xfe", b"\xc3", b"\xa0"]
    keys = [key(f"w{n}.example.com", 60 + n, COSIGNATURE) for n in range(len(names))]
    lines = b"".join(
        b"witness %s %s\n" % (name, by.verifier.vkey.encode()) for name, by in zip(names, keys, strict=True)
    )
    data = lines + b"group \xf0 all " + b" ".join(names) + b"\nquorum \xf0\n"
    parsed = parse_policy(data)
    assert [witness.name for witness in parsed.witnesses] == names
    assert parsed.quorum == b"\xf0"
    with pytest.raises(SignatureError):  # there is no log in it
        replace(parsed, logs=(Log(LOG.verifier),)).accept(signed(CHECKPOINT, *keys))
    with pytest.raises(
        PolicyError, match=r"quorum \\xf0 is not met: 7 of its 8 witnesses have cosigned, missing \\xff"
    ):
        replace(parsed, logs=(Log(LOG.verifier),)).accept(signed(CHECKPOINT, LOG, *keys[:4], *keys[5:]))


def test_key_names_may_be_any() -> None:
    """A vkey with a name outside ASCII stands in a policy as its UTF-8."""
    log = key("журнал.example", 45)
    assert policy_for(log.verifier).logs == (Log(log.verifier),)


W = f"witness X1 {X1}\nwitness X2 {X2}\n"
RENAMED = VerifierKey("renamed.example.com", WITNESSES["X1"].verifier.type, X1_PUBLIC).vkey
LOG_AGAIN = VerifierKey("again.example.com", COSIGNATURE, LOG.verifier.public).vkey
ONE, OTHER = (
    VerifierKey("witness.example.com", COSIGNATURE, sha256(n.to_bytes(4, "big")).digest()).vkey for n in (53156, 80019)
)
INVALID = {
    "nothing": ("", "policy: no quorum line"),
    "no quorum": (LOG_LINE, "policy: no quorum line"),
    "two quorums": (f"{W}quorum X1\nquorum X2\n", "policy line 4: a second quorum line: 'X2'"),
    "one quorum twice": ("quorum none\nquorum none\n", "policy line 2: a second quorum line: 'none'"),
    "quorum nobody defined": (
        f"{W}quorum X3\n",
        "policy line 3: no witness or group of this name on a preceding line: 'X3'",
    ),
    "quorum before its definition": (
        f"quorum X1\n{W}",
        "policy line 1: no witness or group of this name on a preceding line: 'X1'",
    ),
    "quorum in another case": (
        f"{W}quorum x1\n",
        "policy line 3: no witness or group of this name on a preceding line: 'x1'",
    ),
    "quorum of two": (f"{W}quorum X1 X2\n", "policy line 3: not a log, witness, group or quorum line: 'quorum X1 X2'"),
    "quorum of nothing": ("quorum\n", "policy line 1: not a log, witness, group or quorum line: 'quorum'"),
    "last line cut short": (f"{W}quorum X1", "policy: the last line does not end in newline: 'quorum X1'"),
    "unknown keyword": (f"{W}quorums X1\n", "policy line 3: not a log, witness, group or quorum line: 'quorums X1'"),
    "keyword in upper case": (
        "QUORUM none\n",
        "policy line 1: not a log, witness, group or quorum line: 'QUORUM none'",
    ),
    "no comment after a line": (
        f"{LOG_LINE.strip()} https://log.example.com # the log\nquorum none\n",
        "policy line 1: not a log, witness, group or quorum line:",
    ),
    "comment as name of the quorum": (
        "quorum none # no witnesses\n",
        "policy line 1: not a log, witness, group or quorum line: 'quorum none # no witnesses'",
    ),
    "log with two URLs": (
        f"{LOG_LINE.strip()} a b\nquorum none\n",
        "policy line 1: not a log, witness, group or quorum line:",
    ),
    "log with three URLs": (
        f"{LOG_LINE.strip()} a b c\nquorum none\n",
        "policy line 1: not a log, witness, group or quorum line:",
    ),
    "witness with two URLs": (
        f"witness X1 {X1} a b\nquorum none\n",
        "policy line 1: not a log, witness, group or quorum line:",
    ),
    "log without a key": ("log\nquorum none\n", "policy line 1: not a log, witness, group or quorum line: 'log'"),
    "log with a name": (
        f"log {ORIGIN} {LOG.verifier.vkey}\nquorum none\n",
        "policy line 1: verifier key: not <name>+<key id>+<base64>: 'log.example.com'",
    ),
    "log with a broken key": (
        LOG_LINE.replace("log.", "lag.") + "quorum none\n",
        "policy line 1: verifier key: key id is not 16aa7059:",
    ),
    "log with a key that is not UTF-8": (
        "log \udcff\nquorum none\n",
        "policy line 1: verifier key: not UTF-8 at byte 0: b'\\xff'",
    ),
    "log with an RFC 6962 key": (
        "log a+12345678+BQ==\nquorum none\n",
        "policy line 1: verifier key: unknown signature type: 'a+12345678+BQ=='",
    ),
    "one log twice": (
        LOG_LINE * 2 + "quorum none\n",
        "policy line 2: the public key is on another line already: 'log.example.com+04603546'",
    ),
    "one log key under two names": (
        f"{LOG_LINE}log {LOG_AGAIN}\nquorum none\n",
        "policy line 2: the public key is on another line already: 'again.example.com+8d347a6c'",
    ),
    "witness without a key": (
        "witness X1\nquorum none\n",
        "policy line 1: not a log, witness, group or quorum line: 'witness X1'",
    ),
    "witness named none": (f"witness none {X1}\nquorum none\n", "policy line 1: the name is defined already: 'none'"),
    "witness with a text-signing key": (
        f"witness w {LOG.verifier.vkey}\nquorum none\n",
        "policy line 1: a witness key has signature type 0x04 or 0x06: '0x01'",
    ),
    "one witness name twice": (f"{W}witness X1 {X3}\nquorum X1\n", "policy line 3: the name is defined already: 'X1'"),
    "group named as a witness": (
        f"{W}group X1 any X2\nquorum none\n",
        "policy line 3: the name is defined already: 'X1'",
    ),
    "one witness key twice": (
        f"{W}witness X3 {X1}\nquorum X1\n",
        "policy line 3: the public key is on another line already: 'X1.example.com+8c3808f7'",
    ),
    "one witness key under two key names": (
        f"{W}witness X3 {RENAMED}\nquorum X1\n",
        "policy line 3: the public key is on another line already: 'renamed.example.com+f5a7b413'",
    ),
    "two keys of one name and id": (
        f"witness a {ONE}\nwitness b {OTHER}\nquorum a\n",
        "policy line 2: another key has the same name and key id: 'witness.example.com+01b97fbd'",
    ),
    "group named none": (f"{W}group none any X1\nquorum none\n", "policy line 3: the name is defined already: 'none'"),
    "witness named as a group": (
        f"{W}group g any X2\nwitness g {X3}\nquorum none\n",
        "policy line 4: the name is defined already: 'g'",
    ),
    "one group name twice": (
        f"{W}group g any X1\ngroup g any X2\nquorum g\n",
        "policy line 4: the name is defined already: 'g'",
    ),
    "group without members": (
        f"{W}group g any\nquorum none\n",
        "policy line 3: not a log, witness, group or quorum line: 'group g any'",
    ),
    "group without a threshold": (
        f"{W}group g X1 X2\nquorum none\n",
        "policy line 3 threshold: not a decimal number without sign and leading zeros: 'X1'",
    ),
    "group of none": (
        f"{W}group g any none\nquorum none\n",
        "policy line 3: no witness or group of this name on a preceding line: 'none'",
    ),
    "group of itself": (
        f"{W}group g any X1 g\nquorum none\n",
        "policy line 3: no witness or group of this name on a preceding line: 'g'",
    ),
    "group of a later one": (
        f"{W}group g any h\ngroup h any X1\nquorum g\n",
        "policy line 3: no witness or group of this name on a preceding line: 'h'",
    ),
    "one member twice": (f"{W}group g 2 X1 X1\nquorum g\n", "policy line 3: a member of a group already: 'X1'"),
    "one member of two groups": (
        f"{W}group g any X1\ngroup h any X1\nquorum g\n",
        "policy line 4: a member of a group already: 'X1'",
    ),
    "one group of two groups": (
        f"{W}group g any X1\ngroup h any g\ngroup i any g X2\nquorum g\n",
        "policy line 5: a member of a group already: 'g'",
    ),
    "threshold 0": (f"{W}group g 0 X1 X2\nquorum none\n", "policy line 3 threshold: less than 1: 0"),
    "threshold above n": (f"{W}group g 3 X1 X2\nquorum none\n", "policy line 3 threshold: number above 2: '3'"),
    "threshold -1": (
        f"{W}group g -1 X1 X2\nquorum none\n",
        "policy line 3 threshold: not a decimal number without sign and leading zeros: '-1'",
    ),
    "threshold +1": (
        f"{W}group g +1 X1 X2\nquorum none\n",
        "policy line 3 threshold: not a decimal number without sign and leading zeros: '+1'",
    ),
    "threshold 01": (
        f"{W}group g 01 X1 X2\nquorum none\n",
        "policy line 3 threshold: not a decimal number without sign and leading zeros: '01'",
    ),
    "threshold 1_0": (
        f"{W}group g 1_0 X1 X2\nquorum none\n",
        "policy line 3 threshold: not a decimal number without sign and leading zeros: '1_0'",
    ),
    "threshold in Arabic digits": (
        f"{W}group g ١ X1 X2\nquorum none\n",
        "policy line 3 threshold: not a decimal number without sign and leading zeros: '١'",
    ),
    "threshold ANY": (
        f"{W}group g ANY X1 X2\nquorum none\n",
        "policy line 3 threshold: not a decimal number without sign and leading zeros: 'ANY'",
    ),
    "carriage returns": ("quorum none\r\n", "policy: control character: '\\r'"),
    "form feed as white space": ("quorum\fnone\n", "policy: control character: '\\x0c'"),
    "null": ("quorum none\n\0\n", "policy: control character: '\\x00'"),
    "delete": ("#\x7f\nquorum none\n", "policy: control character: '\\x7f'"),
    "control character in a comment": ("# \x1b[2J\nquorum none\n", "policy: control character: '\\x1b'"),
    "no-break space as white space": (
        "quorum\u00a0none\n",
        "policy line 1: not a log, witness, group or quorum line: 'quorum\\xa0none'",
    ),
    "byte order mark": (
        "\ufeffquorum none\n",
        "policy line 1: not a log, witness, group or quorum line: '\\ufeffquorum none'",
    ),
    "too many lines": ("#\n" * MAX_POLICY_LINES + "quorum none\n", "policy: more than 1024 lines: 1025"),
    "too long": ("#" * MAX_POLICY_SIZE + "\nquorum none\n", "policy: more than 1048576 bytes: 1048589"),
}


@pytest.mark.parametrize(("text", "problem"), INVALID.values(), ids=INVALID)
def test_invalid(text: str, problem: str) -> None:
    """What the specification forbids is refused, by the line it is on."""
    with malformed(problem):
        parse_policy(text.encode("utf-8", "surrogateescape"))


@pytest.mark.parametrize("limit", [MAX_POLICY_LINES, 32])
def test_limits(limit: int) -> None:
    """The limits can be reached; they are above 32 logs, 32 witnesses and 32 groups."""
    if limit == MAX_POLICY_LINES:
        policy("#\n" * (limit - 1) + "quorum none\n")
        policy("#" * (MAX_POLICY_SIZE - 13) + "\nquorum none\n")
        return
    logs = "".join(f"log {key('l', 100 + n).verifier.vkey}\n" for n in range(limit))
    witnesses = "".join(f"witness w{n} {key('w', 140 + n, MLDSA44).verifier.vkey}\n" for n in range(limit))
    groups = "".join(f"group g{n} all w{n}\n" for n in range(limit))
    parsed = policy(logs + witnesses + groups + "quorum g31\n")
    assert [len(parsed.logs), len(parsed.witnesses), len(parsed.groups)] == [limit] * 3


def test_policy_of_a_foreign_log() -> None:
    """The vkey of another implementation's ML-DSA-44 log makes a policy as it stands."""
    vkey = (VECTORS / "mldsa44-log.vkey").read_text()
    assert policy(f"log {vkey}quorum none\n").logs[0].key.name == "example.com/mldsa-log"


words = st.sampled_from(
    ["log", "witness", "group", "quorum", "none", "any", "all", "1", "2", "X1", "X2", "g", "#", "\n", X1, X2, "\t"]
)


@given(st.binary() | st.lists(words).map(" ".join).map(str.encode))
@example(EXAMPLE.encode())
@settings(max_examples=300, deadline=None)
def test_any_bytes(data: bytes) -> None:
    """Any bytes are a policy, kept as they are, or Malformed."""
    with suppress(Malformed):
        parsed = parse_policy(data)
        assert parsed.data == data
        with suppress(SignatureError, PolicyError):
            parsed.accept(cosigned("X1"))


@given(st.integers(0, len(EXAMPLE)), st.integers(0, 12), st.binary(max_size=8) | words.map(str.encode))
@settings(max_examples=300, deadline=None)
def test_nearly_a_policy(start: int, length: int, instead: bytes) -> None:
    """A real policy with a few bytes replaced is a policy or Malformed, and accepts or refuses with our errors only."""
    data = EXAMPLE.encode()
    data = data[:start] + instead + data[start + length :]
    with suppress(Malformed, SignatureError, PolicyError):
        parse_policy(data).accept(cosigned("X1", "Y1"))
