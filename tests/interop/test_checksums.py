"""Lists of checksums as the programs write them that everybody has."""

from __future__ import annotations

import os
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from tiles.read.checksums import parse_checksums

pytestmark = pytest.mark.interop

# none ends in a carriage return: shasum writes that as it is, and then nobody can tell it from a line end of Windows
NAMES = [b"a", b" a", b"a b", b"*a", b"a\nb", b"a\rb", b"a\\b", b"\\a", b"\xff", b"a) = b", b"SHA256 (a) = b", b"#a"]
PROGRAMS = [["sha256sum"], ["sha256sum", "--binary"], ["sha256sum", "--tag"], ["shasum", "-a", "256"]]


@pytest.mark.parametrize("options", PROGRAMS)
def test_what_programs_write(tmp_path: Path, options: list[str]) -> None:
    """Every name that a file can have is read as it is, from whatever form it is written in."""
    if shutil.which(options[0]) is None:
        pytest.skip(f"NOT TESTED: there is no {options[0]}")
    for number, name in enumerate(NAMES):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"content %d" % number)
    text = subprocess.run([*options, "--", *NAMES], cwd=tmp_path, capture_output=True, check=True).stdout
    found = {os.fsencode(each.name): each.sha256 for each in parse_checksums(text)}
    assert found == {name: sha256(b"content %d" % number).hexdigest() for number, name in enumerate(NAMES)}
