"""`tiletree trust-root`: what it writes is taken by Sigstore's own client."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.command_line import ORIGIN, Command
from tests.support.fault_server import serving
from tests.support.sigstore_authority import authority
from tiles.notes.keys import parse_vkey
from tiles.sigstore.trusted_root import parse_trusted_root

NAMES = ["trusted_root.json", "signing_config.json", "trust_config.json", "log.vkey", "log.pub"]


@pytest.fixture
def given(tiletree: Command) -> list[str]:
    """Return options that name the files of an authority."""
    who = authority()
    for name, chain in (("ca", (who.intermediate, who.root)), ("tsa", (who.tsa, who.tsa_root))):
        Path(name).write_bytes(b"".join(each.certificate.public_bytes(Encoding.PEM) for each in chain))
    Path("ct").write_bytes(who.ct_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return ["--ca", "ca", "--tsa", "tsa", "--ct-key", "ct"]


def test_of_a_log_alone(tiletree: Command, log: str) -> None:
    """The log is trusted since the first day of which it keeps a checkpoint; no signing goes to any log."""
    Path("log/checkpoints/days/2026-03-04").write_bytes(b"the first")
    Path("log/checkpoints/days/2026-02-30").write_bytes(b"no day")
    done = tiletree.ok("trust-root", "log", "--out", "new/trust", "--vkey", log)
    assert done["start"] == "2026-03-04T00:00:00Z"
    assert done["files"] == [f"new/trust/{name}" for name in NAMES]
    root = parse_trusted_root(Path("new/trust/trusted_root.json").read_bytes())
    (tlog,) = root.logs
    assert (tlog.base_url, tlog.host, tlog.log_id) == (f"https://{ORIGIN}", ORIGIN, parse_vkey(log).log_id)
    assert tlog.period.start == datetime(2026, 3, 4, tzinfo=UTC)
    assert (root.authorities, root.ct_logs, root.timestamp_authorities) == ((), (), ())
    assert json.loads(Path("new/trust/signing_config.json").read_bytes())["rekorTlogUrls"] == []
    assert Path("new/trust/log.vkey").read_text() == f"{log}\n"
    assert Path("new/trust/log.pub").read_text().startswith("-----BEGIN PUBLIC KEY-----\n")
    assert "refused_by" not in done


def test_with_authorities(tiletree: Command, log: str, given: list[str]) -> None:
    """sigstore-python loads the trust configuration, and finds them and the addresses in it."""
    from sigstore.models import ClientTrustConfig

    urls = ["--rekor-url", "http://127.0.0.1:3000", "--tsa-url", "https://tsa.example.com/stamp"]
    tiletree.ok("trust-root", "log", "--out", "trust", "--vkey", log, "--start", "2026-01-31", *given, *urls)
    read = ClientTrustConfig.from_json(Path("trust/trust_config.json").read_text())
    assert read.trusted_root.get_fulcio_certs() == [
        each.certificate for each in (authority().intermediate, authority().root)
    ]
    assert len(read.trusted_root.get_timestamp_authorities()) == 1
    document = json.loads(Path("trust/trust_config.json").read_bytes())
    valid = document["trustedRoot"]["ctlogs"][0]["publicKey"]["validFor"]
    assert valid == document["trustedRoot"]["tlogs"][0]["publicKey"]["validFor"] == {"start": "2026-01-31T00:00:00Z"}
    assert document["signingConfig"]["rekorTlogUrls"][0]["url"] == "http://127.0.0.1:3000"
    assert document["signingConfig"]["tsaUrls"][0]["url"] == "https://tsa.example.com/stamp"


def test_where_no_day_is_told(tiletree: Command, log: str) -> None:
    """A web server lists nothing, and a log may keep no day: then the day has to be named."""
    objects = {
        path.relative_to("log").as_posix(): path.read_bytes() for path in Path("log").rglob("*") if path.is_file()
    }
    with serving(objects) as server:
        done = tiletree("trust-root", server.url, "--out", "trust", "--vkey", log)
        assert done.code == 2
        assert "--start" in done.err
        made = tiletree.ok("trust-root", server.url, "--out", "trust", "--vkey", log, "--start", "2026-01-31")
        assert made["start"] == "2026-01-31T00:00:00Z"
    for day in Path("log/checkpoints/days").iterdir():
        day.unlink()
    done = tiletree("trust-root", "log", "--out", "other", "--vkey", log)
    assert done.code == 2
    assert "keeps no checkpoint of any day" in done.err
    assert not Path("other").exists()


def test_wrong_files(tiletree: Command, log: str, given: list[str]) -> None:
    """The file is named, and nothing is written; neither is anything where a file is in the way."""
    done = tiletree("trust-root", "log", "--out", "trust", "--vkey", log, "--ca", "ct")
    assert done.code == 1
    assert "ct: malformed certificate chain" in done.err
    assert not Path("trust").exists()
    assert tiletree("trust-root", "log", "--out", "ca", "--vkey", log).code == 3


def test_an_origin_that_clients_refuse(tiletree: Command) -> None:
    """It is said where the log is begun, and where its trusted root is made; both are made all the same."""
    done = tiletree("init", "new", "--origin", "log.example.com/releases", "--key", "n", "--json")
    assert done.code == 0
    assert done.json["refused_by"] == ["cosign", "sigstore-go", "sigstore-java"]
    assert "warning: cosign, sigstore-go, sigstore-java accept no proof" in done.err
    made = tiletree.ok("trust-root", "new", "--out", "trust", "--vkey", done.json["vkey"])
    assert made["refused_by"] == done.json["refused_by"]
    assert "refused_by" not in tiletree.ok("init", "other", "--origin", "other.example.com", "--key", "o")
