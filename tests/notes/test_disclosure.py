"""Disclosures: what an outsider with the public log's key alone can verify, and whatever is changed in one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.endorsing import (
    OTHER,
    POLICY,
    PRIVATE,
    PUBLIC,
    PUBLIC_POLICY,
    entry_of,
    private_client,
    private_log,
    proof_of,
)
from tests.support.readers import entry
from tiles.errors import LogError, Malformed, ProofError, SignatureError, UsageError
from tiles.notes.disclosure import disclosure_files, parse_disclosure, verify_disclosure
from tiles.notes.policy import policy_for

OBJECTS = private_log(300)
CLIENT = private_client(OBJECTS)
ENDORSEMENT = proof_of(entry_of(OBJECTS), b"other")
CHOSEN = {index: (entry(index), CLIENT.prove(index)) for index in (3, 299)}
FILES = disclosure_files((PRIVATE.verifier,), ENDORSEMENT, CHOSEN)


def test_verified_with_the_public_key_alone() -> None:
    """The claimed key is enough to show that its holder signed; no other key comes from the files."""
    disclosed = parse_disclosure(FILES)
    shown = verify_disclosure(disclosed, PUBLIC_POLICY, disclosed.claimed)
    assert {index: data for index, (data, _) in shown.entries.items()} == {3: b"", 299: entry(299)}
    assert (shown.endorsed.tree.signed.tree.size, shown.endorsed.index) == (300, 1)
    assert disclosed.keys == (PRIVATE.verifier,)
    assert not any(PUBLIC.verifier.vkey.encode() in data for data in FILES.values())


def test_by_a_key_that_is_known() -> None:
    """A reader who knows the private log by another key believes nothing."""
    verify_disclosure(parse_disclosure(FILES), PUBLIC_POLICY, POLICY)
    with pytest.raises(SignatureError):
        verify_disclosure(parse_disclosure(FILES), PUBLIC_POLICY, policy_for(OTHER.verifier))


def with_(name: str, data: bytes) -> dict[str, bytes]:
    """Return the files with another one."""
    return {**FILES, name: data}


def without(name: str) -> dict[str, bytes]:
    """Return the files without one."""
    return {other: data for other, data in FILES.items() if other != name}


@pytest.mark.parametrize(
    ("files", "error"),
    [
        (with_("3.entry", b"x"), ProofError),
        (with_("299.entry", entry(298)), ProofError),
        (with_("3.tlog-proof", FILES["299.tlog-proof"]), Malformed),
        (
            with_("3.tlog-proof", private_client(private_log(200, 300)).prove(3).data.replace(b"3\n", b"4\n", 1)),
            LogError,
        ),
        (with_("3.tlog-proof", private_client(private_log(301)).prove(3).data), ProofError),  # another tree
        (with_("3.tlog-proof", private_client(private_log(300, tag="o", same_up_to=9)).prove(3).data), ProofError),
        (with_("endorsement", proof_of(entry_of(private_log(299))).data), ProofError),
        (with_("endorsement", proof_of(b"raw").data), Malformed),
        (with_("log.vkey", f"{OTHER.verifier.vkey}\n".encode()), SignatureError),
        (with_("log.vkey", FILES["log.vkey"][:-1]), Malformed),
        (with_("log.vkey", b""), Malformed),
        (with_("log.vkey", FILES["log.vkey"] * 9), Malformed),
        (with_("5.entry", b""), Malformed),
        (with_("notes.txt", b"also verified, surely"), Malformed),
        (with_("03.entry", b""), Malformed),
        (with_("99999999999999999999.entry", b""), Malformed),
        (without("3.tlog-proof"), Malformed),
        (without("endorsement"), Malformed),
        (without("log.vkey"), Malformed),
        ({name: data for name, data in FILES.items() if name[0].isalpha()}, Malformed),
        ({f"{index}.entry": b"" for index in range(2100)}, Malformed),
    ],
)
def test_whatever_is_changed(files: dict[str, bytes], error: type[LogError]) -> None:
    """Nothing that differs from what was disclosed verifies, and nothing that is no part of it is passed over."""
    with pytest.raises(error):
        verify(files)


def verify(files: dict[str, bytes]) -> None:
    """Verify a disclosure as an outsider does who knows the public log alone."""
    disclosed = parse_disclosure(files)
    verify_disclosure(disclosed, PUBLIC_POLICY, disclosed.claimed)


FLIP: list[Callable[[bytes], bytes]] = [
    lambda data: bytes([data[0] ^ 1]) + data[1:],
    lambda data: data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :],
    lambda data: data[:-1],
    lambda data: data + b"\n",
]


@pytest.mark.parametrize("name", [name for name in FILES if name != "3.entry"])
@pytest.mark.parametrize("change", FLIP)
def test_any_byte(name: str, change: Callable[[bytes], bytes]) -> None:
    """One bit, one byte less, one byte more: it does not verify."""
    with pytest.raises(LogError):
        verify_disclosure(
            disclosed := parse_disclosure(with_(name, change(FILES[name]))), PUBLIC_POLICY, disclosed.claimed
        )


def test_too_much() -> None:
    """So many entries are no disclosure, and neither is none."""
    for entries in ({}, dict.fromkeys(range(1001), CHOSEN[3])):
        with pytest.raises(UsageError, match="1 to 1000 entries"):
            disclosure_files((PRIVATE.verifier,), ENDORSEMENT, entries)
