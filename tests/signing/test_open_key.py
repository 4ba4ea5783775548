"""From a place to its key."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.fake_service import EDWARDS, NIST, SEED, Fake
from tiles.errors import NotFound, UsageError
from tiles.notes.keys import SignatureType, signing_key
from tiles.signing import open_key as module
from tiles.signing.artifact_key import generate_key, write_artifact_key
from tiles.signing.key_file import write_key
from tiles.signing.key_place import KeyPlace, Kind, parse_key_place
from tiles.signing.open_key import held_key, open_artifact_key, open_cosigner, open_key, public_pem

KEY = signing_key("log.example.com", SEED)
ENVIRONMENT = KeyPlace(Kind.ENVIRONMENT, "OWN_KEY")


@pytest.fixture(autouse=True)
def _forgotten() -> None:
    held_key.cache_clear()


def test_files(tmp_path: Path) -> None:
    """The key of a log, and one for artifacts."""
    write_key(tmp_path / "k", KEY)
    own = generate_key()
    write_artifact_key(tmp_path / "s", own)
    log, art = parse_key_place(str(tmp_path / "k")), parse_key_place(str(tmp_path / "s"))
    assert open_key(log) == KEY
    assert open_artifact_key(art).public == own.public
    assert (public_pem(log), public_pem(art)) == ("", own.public.pem.decode())
    with pytest.raises(NotFound):
        open_key(parse_key_place(str(tmp_path / "none")))


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds the one line of a key file; an error shows nothing of it."""
    monkeypatch.setenv("OWN_KEY", f"{KEY.skey}\n")
    assert open_key(ENVIRONMENT) == KEY
    monkeypatch.setenv("OWN_KEY", "s3cr3t")
    with pytest.raises(UsageError, match=r"^what \$OWN_KEY holds is not the text of a key file$"):
        open_key(ENVIRONMENT)


def test_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for the public half once in a process, however often the key is opened; the log gives it its name."""
    services = {"awskms:///log": Fake(EDWARDS), "awskms:///art": Fake(NIST)}
    monkeypatch.setattr(module, "_service", lambda place: services[str(place)])
    log, art = map(parse_key_place, services)
    for _ in range(3):
        assert open_key(log, "log.example.com").verifier == KEY.verifier
        assert open_artifact_key(art).public.details == "PKIX_ECDSA_P256_SHA_256"
        assert public_pem(log).startswith("-----BEGIN PUBLIC KEY-----")
    assert [service.asked for service in services.values()] == [1, 1]
    with pytest.raises(UsageError, match=r"^awskms:///log has no name of its own"):
        open_key(log)


def test_the_key_of_a_witness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a file it has its name, and is of a kind that cosigns; in a service it gets its name from the witness."""
    own = signing_key("w.example.com", SEED, SignatureType.COSIGNATURE)
    write_key(tmp_path / "w", own)
    write_key(tmp_path / "k", KEY)
    assert open_cosigner(parse_key_place(str(tmp_path / "w"))) == own
    with pytest.raises(UsageError, match="this key does not cosign"):
        open_cosigner(parse_key_place(str(tmp_path / "k")))
    monkeypatch.setattr(module, "_service", lambda _: Fake(EDWARDS))
    place = parse_key_place("awskms:///w")
    assert open_cosigner(place, "w.example.com").verifier == own.verifier
    with pytest.raises(UsageError, match="has no name of its own"):
        open_cosigner(place)
