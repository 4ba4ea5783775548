"""Lists of checksums: the forms that coreutils and the BSDs write, and lines that are none."""

from __future__ import annotations

import pytest

from tiles.errors import Malformed
from tiles.read.checksums import MAX_LIST_SIZE, Listed, parse_checksums

HEX = "3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b"
OTHER = HEX[::-1]

FORMS = {  # a line, and the name in it
    f"{HEX}  app.whl": "app.whl",
    f"{HEX} *app.whl": "app.whl",
    f"{HEX.upper()}  app.whl": "app.whl",
    f"SHA256 (app.whl) = {HEX}": "app.whl",
    f"SHA256 (a (b) = c) = {HEX}": "a (b) = c",
    f"{HEX}  ./a b/ c": "./a b/ c",
    f"{HEX}   led by a space": " led by a space",
    f"{HEX} **": "*",
    f"{HEX}  a\\b": "a\\b",
    f"\\{HEX}  a\\nb\\\\c\\rd": "a\nb\\c\rd",
    f"\\{HEX} *a\\\\": "a\\",
    f"\\SHA256 (a\\nb) = {HEX}": "a\nb",
    f"{HEX}  \u00e9": "\u00e9",
    f"{HEX}  app.whl\r": "app.whl",
}


@pytest.mark.parametrize(("line", "name"), FORMS.items(), ids=range(len(FORMS)))
def test_forms(line: str, name: str) -> None:
    """Text and binary marks, escaped names and the BSDs' form; also with the line ends of Windows, or without one."""
    for end in ("", "\n"):
        assert parse_checksums(f"{line}{end}".encode()) == [Listed(name, HEX, 1)]


def test_names_are_octets() -> None:
    """A name that is not UTF-8 is the one that the file system has."""
    assert parse_checksums(f"{HEX}  ".encode() + b"\xff\n")[0].name == "\udcff"


def test_lists() -> None:
    """Comments and empty lines count as lines, and say nothing; what is said twice is there once."""
    text = f"# made today\n\n{HEX}  a\n{HEX}  ./a\n{OTHER}  b\n"
    assert parse_checksums(text.encode()) == [Listed("a", HEX, 3), Listed("b", OTHER, 5)]


WRONG = {
    "": "it lists no file",
    "# nothing\n\n": "it lists no file",
    "app.whl\n": "line 1: not a SHA-256 and a name",
    f"{HEX}\n": "line 1: not a SHA-256",
    f"{HEX}  \n": "line 1: not a SHA-256",
    f"{HEX} app.whl\n": "line 1: not a SHA-256",
    f" {HEX}  app.whl\n": "line 1: not a SHA-256",
    f"{HEX}\tapp.whl\n": "line 1: not a SHA-256",
    f"{HEX[1:]}  app.whl\n": "line 1: a digest of another kind",
    f"{HEX}{HEX}  app.whl\n": "line 1: a digest of another kind",
    f"SHA512 (app.whl) = {HEX}{HEX}\n": "line 1: a digest of another kind",
    f"SHA256(app.whl)= {HEX}\n": "line 1: a digest of another kind",
    f"SHA256 (app.whl) = {HEX}0\n": "line 1: a digest of another kind",
    f"\ufeff{HEX}  a\n": "line 1: not a SHA-256",
    f"{HEX}  a\n{HEX}  -\n": "line 2: the digest of standard input",
    f"{HEX}  a\n\n{OTHER}  ./a\n": "line 3: a second digest of a file that is in line 1",
    f"{HEX}  a\0b\n": "line 1: a name with a zero byte",
    f"\\{HEX}  a\\tb\n": "line 1: not an escape of a name",
    f"\\{HEX}  a\\\n": "line 1: not an escape of a name",
    f"{HEX}  a\n<html>\n": "line 2: not a SHA-256",
}


@pytest.mark.parametrize(("text", "problem"), WRONG.items(), ids=range(len(WRONG)))
def test_what_cannot_be_read(text: str, problem: str) -> None:
    """Any line that is none of these is an error that names it; nothing is passed over."""
    with pytest.raises(Malformed) as caught:
        parse_checksums(text.encode())
    assert problem in str(caught.value)


def test_lists_have_an_end() -> None:
    """A list of any length is not read."""
    with pytest.raises(Malformed, match="more than"):
        parse_checksums(bytes(MAX_LIST_SIZE + 1))


@pytest.mark.parametrize("name", ["/a", "../a", "a/../b", "a/..", "/"])
def test_names_that_lead_out(name: str) -> None:
    """A name that leads anywhere but into the folder is known as one."""
    (listed,) = parse_checksums(f"{HEX}  {name}\n".encode())
    assert listed.leads_out


@pytest.mark.parametrize("name", ["a", "..a", "a../b", "./a", "sha256:a", "https://a"])
def test_names_that_stay(name: str) -> None:
    """All others stay in it, whatever else they look like."""
    (listed,) = parse_checksums(f"{HEX}  {name}\n".encode())
    assert not listed.leads_out
