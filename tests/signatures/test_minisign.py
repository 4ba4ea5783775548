"""Signatures of minisign: others' files, what is taken of them, and all that is refused."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.signature_texts import DATA, stored
from tiles.errors import Malformed, SignatureError
from tiles.signatures import minisign
from tiles.signatures.digests import signed

KEY = minisign.parse_key(stored("minisign.pub"))
FILE = stored("minisign_prehashed.minisig")
SIGNATURE = minisign.parse_signature(FILE)


def test_what_is_shown() -> None:
    """The id of the key as minisign has it, and the comment that is signed."""
    assert minisign.shown(KEY) == "E7620F1842B4E81F"
    assert minisign.trusted_comment(SIGNATURE) == "timestamp:1556193335\tfile:test"


def test_the_other_comment() -> None:
    """It is not signed, so whatever it says, the signature is the same."""
    assert minisign.parse_signature(FILE.replace(b"signature from", b"by")) == SIGNATURE
    assert minisign.parse_signature(FILE.replace(b"\n", b"\r\n")) == SIGNATURE


@pytest.mark.parametrize(
    ("signature", "says"),
    [
        (SIGNATURE[:2] + bytes(8) + SIGNATURE[10:], "another minisign key, 0000000000000000"),
        (b"Ed" + SIGNATURE[2:], "not by this key over this file"),
        (SIGNATURE + b"!", "trusted comment was changed"),
        (SIGNATURE[:-1], "trusted comment was changed"),
    ],
)
def test_what_is_wrong(signature: bytes, says: str) -> None:
    """Another key, the other way to sign, another comment."""
    with pytest.raises(SignatureError, match=says):
        minisign.check(KEY, signature, signed(DATA))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\n".join(FILE.split(b"\n")[:2]), "has no trusted comment"),
        (FILE.replace(b"trusted comment: t", b"trusted comment:t", 2), "four lines"),
        (FILE * 2, "four lines"),
        (FILE.replace(b"RUQf", b"RUQ=", 1), "four lines"),
        (FILE.replace(b"RUQf", b"RkQf", 1), "begins with ED or Ed"),
        (FILE.replace(b"\tfile", b"\x1bfile"), "control characters"),
        (FILE.replace(b"\tfile", b"\xfffile"), "not UTF-8"),
        (b"", "four lines"),
    ],
)
def test_what_is_no_signature(data: bytes, says: str) -> None:
    """The error says why."""
    with pytest.raises(Malformed, match=says):
        minisign.parse_signature(data)


@pytest.mark.parametrize(
    "data", [b"", b"RWQ", stored("minisign.pub") * 2, stored("minisign.pub").replace(b"RWQf", b"RUQf"), FILE]
)
def test_what_is_no_key(data: bytes) -> None:
    """Nor is a signature."""
    with pytest.raises(Malformed):
        minisign.parse_key(data)


def test_the_tool_of_this_machine(tmp_path: Path) -> None:
    """What it signs is verified, either way."""
    if not shutil.which("minisign"):
        pytest.skip("no minisign")
    (tmp_path / "a").write_bytes(DATA)
    subprocess.run(["minisign", "-GWp", "k.pub", "-s", "k"], cwd=tmp_path, check=True, capture_output=True)
    key = minisign.parse_key((tmp_path / "k.pub").read_bytes())
    for way in ([], ["-l"]):
        command = ["minisign", "-S", *way, "-s", "k", "-m", "a", "-x", "s", "-t", "é"]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
        signature = minisign.parse_signature((tmp_path / "s").read_bytes())
        minisign.check(key, signature, signed(DATA))
        assert minisign.trusted_comment(signature) == "é"
