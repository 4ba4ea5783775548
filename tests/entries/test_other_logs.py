"""What entries of other people's logs say, and that no bytes of theirs do harm."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.other_logs import certificate, record, timestamped
from tiles.entries.other_logs import MAX_LINES, MAX_TEXT, described


def test_a_record() -> None:
    """Modules, versions and hashes; a line that is none is shown as it is."""
    kind, said = described("sumdb", record(7) + b"odd line\n")
    assert kind == "sumdb-record"
    assert [label for label, _ in said] == ["Module", "go.mod", "Line"]
    assert said[0][1].startswith("example.com/m7 v1.0.0 h1:")


def test_a_certificate() -> None:
    """Subject, names and time of a certificate, and of what a precertificate holds."""
    for is_precert in (False, True):
        said = dict(described("static-ct", b"\0\0" + timestamped(5, is_precert=is_precert))[1])
        assert said["Logged"] == "2026-03-01 00:00:00.128 UTC"
        assert said["Kind"] == ("precertificate" if is_precert else "certificate")
        assert said["Subject"] == f"CN={'pre' if is_precert else 'host'}.example.com"
        assert said["Name"] == "www.example.com"


def test_bounded() -> None:
    """A certificate with many names, and a long line, are cut."""
    many = certificate(*(f"n{index}.example.com" for index in range(300))).public_bytes(Encoding.DER)
    _, said = described("static-ct", b"\0\0" + timestamped(0, cert=many))
    assert len(said) == MAX_LINES + 1
    assert said[-1][0] == "And"
    _, said = described("sumdb", b"x" * 10_000 + b"\n")
    assert len(said[0][1]) == MAX_TEXT + 1


@pytest.mark.parametrize("cert", [b"\x30\x00", b"\x30\x84\xff\xff\xff\xff", b"x" * 300_000, bytes(100)])
def test_no_certificate(cert: bytes) -> None:
    """Logs may hold what no parser likes: the rest is shown."""
    for is_precert in (False, True):
        said = dict(described("static-ct", b"\0\0" + timestamped(0, cert=cert, is_precert=is_precert))[1])
        assert said["Size"] == f"{len(cert)} bytes"
        assert "Subject" not in said


def test_damaged_certificates() -> None:
    """Whichever byte of a certificate is another one, something is said, and nothing is raised."""
    good = certificate("host.example.com", "www.example.com").public_bytes(Encoding.DER)
    for at in range(len(good)):
        wrong = good[:at] + bytes([good[at] ^ 0x55]) + good[at + 1 :]
        assert described("static-ct", b"\0\0" + timestamped(0, cert=wrong))[1]


def test_no_entry() -> None:
    """What is no entry of such a log is said to be none."""
    assert described("static-ct", b"\1")[1][0][0] == "Not readable"
    assert described("sumdb", b"no newline")[1][0][0] == "Not readable"
    assert described("tlog-tiles", b"anything")[0] == "raw"
