"""Signatures of `ssh-keygen -Y sign`: of others' keys in hardware, of this machine, and all that is refused."""

from __future__ import annotations

import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.signature_texts import DATA, OPENSSH_DATA, OPENSSH_NAMESPACE, blob, stored
from tiles.errors import Malformed, SignatureError
from tiles.signatures import ssh
from tiles.signatures.digests import signed
from tiles.signatures.ssh_key import parse_key_blob, string

SIGNATURE = ssh.parse_signature(stored("ssh_ed25519.sig"))
KEY = ssh.parse_key(stored("ssh_ed25519.pub"))


@pytest.mark.parametrize("name", ["ed25519_sk", "ecdsa_sk"])
def test_keys_in_hardware(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of OpenSSH's own tests: with their flags and counter, over their application; and touched."""
    monkeypatch.setattr(ssh, "NAMESPACE", OPENSSH_NAMESPACE)
    key, signature = ssh.parse_key(stored(f"openssh_{name}.pub")), ssh.parse_signature(stored(f"openssh_{name}.sig"))
    ssh.check(key, signature, signed(OPENSSH_DATA))
    flags = len(signature) - 5
    assert signature[flags:] == bytes.fromhex("0112345678")
    for at in range(flags, len(signature)):
        with pytest.raises(SignatureError):
            ssh.check(key, signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1 :], signed(OPENSSH_DATA))
    with pytest.raises(SignatureError):
        ssh.check(key, signature, signed(OPENSSH_DATA + b"."))


def test_a_key_in_hardware_that_was_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    """The signature is right, and was made without the user."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    kind = string(b"sk-ssh-ed25519@openssh.com")
    private = Ed25519PrivateKey.from_private_bytes(bytes(32))
    key = kind + string(private.public_key().public_bytes_raw()) + string(b"ssh:")
    head = b"SSHSIG" + string(b"file") + string(b"") + string(b"sha256") + string(sha256(DATA).digest())
    for flags, says in ((b"\x01", ""), (b"\x05", ""), (b"\x04", "not touched")):
        over = sha256(b"ssh:").digest() + flags + bytes(4) + sha256(head).digest()
        inner = kind + string(private.sign(over)) + flags + bytes(4)
        parts = [key, b"file", b"", b"sha256", inner]
        signature = b"SSHSIG" + bytes([0, 0, 0, 1]) + b"".join(map(string, parts))
        if says:
            with pytest.raises(SignatureError, match=says):
                ssh.check(key, signature, signed(DATA))
        else:
            ssh.check(key, signature, signed(DATA))


def test_the_tool_of_this_machine(tmp_path: Path) -> None:
    """What it signs is verified, and it shows the key as it is shown here."""
    if not shutil.which("ssh-keygen"):
        pytest.skip("no ssh-keygen")
    (tmp_path / "a").write_bytes(DATA)
    run = (
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "k"],
        ["ssh-keygen", "-Y", "sign", "-f", "k", "-n", "file", "a"],
    )
    for command in run:
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    key = ssh.parse_key((tmp_path / "k.pub").read_bytes())
    ssh.check(key, ssh.parse_signature((tmp_path / "a.sig").read_bytes()), signed(DATA))
    shown = subprocess.run(["ssh-keygen", "-lf", "k.pub"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert ssh.shown(key) == shown.stdout.split()[1]


def test_what_is_armored() -> None:
    """The blob alone is taken, too; lines may have any length, and end as on Windows."""
    assert blob("ssh_ed25519.sig") == SIGNATURE == ssh.parse_signature(SIGNATURE)
    assert blob("ssh_ed25519.pub") == KEY
    begin, *lines, end = stored("ssh_ed25519.sig").splitlines()
    for joined in (b"\r\n".join([begin, *lines, end]), b"\n".join([begin, b"".join(lines), end]) + b"\n\n"):
        assert ssh.parse_signature(joined) == SIGNATURE


def changed(old: bytes, new: bytes) -> bytes:
    """Return the signature with one thing changed."""
    assert old in SIGNATURE
    return SIGNATURE.replace(old, new, 1)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (stored("ssh_ed25519_git.sig"), "another purpose"),
        (changed(bytes([0, 0, 0, 1]), bytes([0, 0, 0, 2])), "version 2"),
        (changed(string(b"file") + string(b""), string(b"file") + string(b"x")), "reserved"),
        (changed(string(b"sha512"), string(b"sha1")), "neither sha256 nor sha512"),
        (changed(string(b"sha512"), string(b"sha\xff12")), "printable"),
        (SIGNATURE[:60], "cut short"),
        (b"SSHSIG", "cut short"),
        (stored("ssh_ed25519.sig").replace(b"U1NI", b"U1N", 1), "not one armored signature"),
        (stored("ssh_ed25519.sig") * 2, "not one armored signature"),
        (b"text " + stored("ssh_ed25519.sig"), "not one armored signature"),
    ],
)
def test_what_is_no_signature(data: bytes, says: str) -> None:
    """The error says why."""
    with pytest.raises(Malformed, match=says):
        ssh.parse_signature(data)


def line(kind: bytes, *fields: bytes) -> bytes:
    """Return the line of a key."""
    from base64 import b64encode

    return kind + b" " + b64encode(string(kind) + b"".join(map(string, fields))) + b" a comment\n"


ONE = b"\x01\x00\x01"
P256 = bytes.fromhex("04" + "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296") + bytes.fromhex(
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (line(b"ssh-ed25519", bytes(31)), "31 bytes"),
        (line(b"ssh-ed25519", bytes(32), b"x"), "5 bytes too many"),
        (line(b"ssh-ed25519-cert-v01@openssh.com", bytes(32)), "certificate"),
        (line(b"ssh-dss", bytes(32)), "DSA"),
        (line(b"ssh-xmss@openssh.com", bytes(32)), "not known"),
        (line(b"ssh-rsa", ONE, b"\x7f" + bytes([255]) * 126 + b"\x01"), "RSA of 1023 bits; 2048"),
        (line(b"ssh-rsa", ONE, b"\x7f" + bytes([255]) * 1024 + b"\x01"), "RSA of 8207 bits"),
        (line(b"ssh-rsa", ONE, b"\x00\x7f" + bytes([255]) * 255), "shortest form"),
        (line(b"ssh-rsa", ONE, b"\xff" * 256), "not above 0"),
        (line(b"ssh-rsa", b"\x7f" * 9, b"\x7f" + bytes([255]) * 256), "exponent"),
        (line(b"ssh-rsa", b"\x02", b"\x7f" + bytes([255]) * 256), "numbers that make no key"),
        (line(b"ecdsa-sha2-nistp256", b"nistp384", P256), "another curve"),
        (line(b"ecdsa-sha2-nistp256", b"nistp256", P256[:-1] + b"\0"), "not on its curve"),
        (line(b"ecdsa-sha2-nistp256", b"nistp256", b"\x03" + P256[1:33]), "not written in full"),
        (line(b"ssh-ed25519", bytes(32)).replace(b"ssh-ed25519 ", b"ssh-rsa "), "another type"),
        (line(b"ssh-ed25519", bytes(32)) * 2, "not one line"),
        (b"ssh-ed25519 AAAA=\n", "not one line"),
        (b"ssh-ed25519\n", "not one line"),
        (b'from="10.0.0.1" ' + stored("ssh_ed25519.pub"), "not one line"),
    ],
)
def test_what_is_no_key(data: bytes, says: str) -> None:
    """The error says why; nothing but one plain line is a key."""
    with pytest.raises(Malformed, match=says):
        ssh.parse_key(data)


def test_kinds_of_curves_are_told_by_their_whole_names() -> None:
    """The name of a curve is no kind of key."""
    parse_key_blob(string(b"ecdsa-sha2-nistp256") + string(b"nistp256") + string(P256))
    with pytest.raises(Malformed, match="not known"):
        parse_key_blob(string(b"nistp256") + string(b"nistp256") + string(P256))


def test_algorithms_of_signatures() -> None:
    """RSA with SHA-1 is refused, and so is an algorithm of another key."""
    key, signature = ssh.parse_key(stored("ssh_rsa2048.pub")), ssh.parse_signature(stored("ssh_rsa2048.sig"))
    head, _, tail = signature.rpartition(string(b"rsa-sha2-512"))
    for other, says in ((b"ssh-rsa", "SHA-1"), (b"ssh-ed25519", "signs by rsa-sha2-256 or rsa-sha2-512")):
        changed_head = head[:-4] + (len(string(other)) + len(tail)).to_bytes(4, "big")
        with pytest.raises(Malformed, match=says):
            ssh.check(key, changed_head + string(other) + tail, signed(DATA))
