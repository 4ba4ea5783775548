"""What is logged of a signature is all of it: ssh-keygen, minisign, gpgv and sq verify what an entry holds."""

from __future__ import annotations

import shutil
import subprocess
from base64 import b64encode
from pathlib import Path

import pytest

from tests.support.signature_texts import DATA, GOOD, stored
from tiles.signatures.digests import signed
from tiles.signatures.entry import SignatureEntry, entry_by, parse_signature_entry
from tiles.signatures.formats import parse_signature, parse_signer_key

pytestmark = pytest.mark.interop

COMMANDS = {
    "ssh": ["ssh-keygen -Y verify -f allowed -I me -n file -s made"],
    "minisign": ["minisign -V -p key -m a -x made"],
    "pgp": ["gpgv --keyring ./key made a", "sq verify --signer-cert key --detached made a"],
}
COMMENT = b"untrusted comment: \n"


def write(entry: SignatureEntry, folder: Path) -> None:
    """Write key and signature of an entry as their tool wants them."""
    key, signature = entry.key, entry.signature
    if entry.format == "ssh":
        kind = key[4 : 4 + int.from_bytes(key[:4], "big")]
        (folder / "allowed").write_bytes(b"me %s %s\n" % (kind, b64encode(key)))
        armor = b"-----%s SSH SIGNATURE-----"
        signature = b"\n".join([armor % b"BEGIN", b64encode(signature), armor % b"END", b""])
    if entry.format == "minisign":
        key = COMMENT + b64encode(key)
        lines = [b64encode(signature[:74]), b"trusted comment: " + signature[138:], b64encode(signature[74:138])]
        signature = COMMENT + b"\n".join(lines)
    (folder / "key").write_bytes(key)
    (folder / "made").write_bytes(signature)


@pytest.mark.parametrize(
    ("case", "command"),
    [(case, command) for case in GOOD for command in COMMANDS[case[0]]],
    ids=lambda one: one[2] if isinstance(one, tuple) else one.split()[0],
)
def test_the_tool_verifies_what_is_logged(case: tuple[str, str, str], command: str, tmp_path: Path) -> None:
    """Of the file, and of no other."""
    words = command.split()
    if not shutil.which(words[0]):
        pytest.skip(f"no {words[0]}")
    key = parse_signer_key(case[0], stored(case[1]))
    entry = entry_by(key, parse_signature(case[0], stored(case[2])), signed(DATA)).data
    write(parse_signature_entry(entry), tmp_path)
    for data in (DATA, DATA + b"!"):
        (tmp_path / "a").write_bytes(data)
        done = subprocess.run(words, cwd=tmp_path, input=data, capture_output=True)
        assert (done.returncode == 0) == (data == DATA), done.stderr
