"""Policies with one log line more, or one less."""

from __future__ import annotations

import pytest

from tiles.errors import UsageError
from tiles.notes.keys import SignatureType, signing_key
from tiles.notes.policy import parse_policy, policy_for
from tiles.notes.policy_logs import with_log, without_log

A, B = (signing_key("example.com/a", bytes([n]) * 32).verifier for n in (1, 2))
OTHER = signing_key("example.com/b", b"\x03" * 32).verifier
WITNESS = signing_key("w.example.com", b"\x04" * 32, SignatureType.COSIGNATURE).verifier
TEXT = f"""\
# of us
log {A.vkey} https://a.example.com
 log\t{OTHER.vkey}
witness w {WITNESS.vkey}
quorum w
"""


def test_one_more_and_one_less() -> None:
    """The line stands behind the others of the log, with their address; all other bytes stay."""
    before = parse_policy(TEXT.encode())
    more = with_log(before, B)
    line = f"log {B.vkey} https://a.example.com\n"
    assert more.data.decode() == TEXT.replace(" log\t", f"{line} log\t")
    assert [log.key for log in more.logs] == [A, B, OTHER]
    assert with_log(more, B) == more
    assert without_log(more, B) == before
    assert [log.key for log in without_log(more, A).logs] == [B, OTHER]
    assert without_log(before, B) == before


def test_of_another_log() -> None:
    """A policy that has no key of the log gets none: it would let anyone be it."""
    with pytest.raises(UsageError, match=r"no key of example\.com/a"):
        with_log(policy_for(OTHER), B)
