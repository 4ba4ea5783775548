"""Policies: the specification's example, and every rule of the file format."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.policy_texts import INVALID, VALID
from tests.support.signed_text import (
    CHECKPOINT,
    COSIGNATURE,
    EXAMPLE,
    LOG,
    LOG_LINE,
    MLDSA44,
    VECTORS,
    WITNESSES,
    X1,
    X2,
    cosigned,
    key,
    malformed,
    policy,
    signed,
)
from tiles.errors import Malformed, PolicyError, SignatureError, UsageError
from tiles.notes.keys import signing_key
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
