"""Trusted roots: whom they name, until when, and which are refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.signed_bundles import trusted_root
from tests.support.signed_text import LOG
from tiles.errors import Malformed
from tiles.sigstore.trusted_root import Period, parse_trusted_root


def test_a_root_of_sigstore(shared_vectors: Path) -> None:
    """All of the staging instance's: logs, authorities, CT logs, timestamp authorities, and their periods."""
    root = parse_trusted_root((shared_vectors / "sigstore-bundles/rekor2-happy-path/trusted_root.json").read_bytes())
    assert [log.host for log in root.logs] == ["rekor.sigstage.dev", "log2025-alpha1.rekor.sigstage.dev"]
    assert [len(log.key) for log in root.ct_logs] == [526, 91, 91]
    assert str(root.ct_logs[1].period) == "from 2022-07-01 to 2022-07-31"
    assert [len(each.certificates) for each in (*root.authorities, *root.timestamp_authorities)] == [2, 2]
    assert root.authorities[0].common_name == "sigstore"


def test_a_clients_configuration() -> None:
    """The trusted root in a client trust configuration is taken; so is one with fields that nobody knows."""
    whole = json.loads(trusted_root())
    root = parse_trusted_root(json.dumps({**whole, "later": [1]}).encode())
    assert root == parse_trusted_root(json.dumps({"mediaType": "any", "trustedRoot": whole}).encode())
    assert root.logs[0].log_id == LOG.verifier.log_id


HOSTS = {
    "https://log.example.com": "log.example.com",
    "https://log.example.com:8080/a?b#c": "log.example.com",
    "log.example.com/2026": "log.example.com",
    "https://user@log.example.com": "log.example.com",
    "https://evil.example@log.example.com/log.example.org": "log.example.com",
    "https://": "",
    "": "",
    "https://[::1]/": "",
}


@pytest.mark.parametrize(("url", "host"), HOSTS.items(), ids=HOSTS)
def test_hosts(url: str, host: str) -> None:
    """The host in an address; "" if there is none that could be an origin."""
    assert parse_trusted_root(trusted_root(baseUrl=url)).logs[0].host == host


def test_periods() -> None:
    """Both ends are included."""
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    period, moment = Period(start, end), timedelta(microseconds=1)
    assert [period.holds(at) for at in (start - moment, start, end, end + moment)] == [False, True, True, False]
    assert Period().holds(start)
    assert str(Period()) == "at any time"


TIMES: dict[str, datetime | None] = {
    "2026-01-01T00:00:00Z": datetime(2026, 1, 1, tzinfo=UTC),
    "2026-01-01T00:00:00.25Z": datetime(2026, 1, 1, microsecond=250_000, tzinfo=UTC),
    "2026-01-01T00:00:00.123456789Z": datetime(2026, 1, 1, microsecond=123_456, tzinfo=UTC),
    "2026-01-01T00:00:00": None,
    "2026-01-01 00:00:00Z": None,
    "2026-02-30T00:00:00Z": None,
    "2026-01-01T00:00:00+01:00": None,
}


@pytest.mark.parametrize(("text", "time"), TIMES.items(), ids=TIMES)
def test_times(text: str, time: datetime | None) -> None:
    """Times in UTC, as protocol buffers print them, and no others."""
    key = {**json.loads(trusted_root())["tlogs"][0]["publicKey"], "validFor": {"start": text}}
    if time is None:
        with pytest.raises(Malformed, match="not a time in UTC"):
            parse_trusted_root(trusted_root(publicKey=key))
    else:
        assert parse_trusted_root(trusted_root(publicKey=key)).logs[0].period == Period(time)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "another media type": ({"mediaType": "application/json"}, "not application/vnd.dev.sigstore.trustedroot"),
    "a log without a key": ({"tlogs": [{"logId": {"keyId": ""}}]}, r"no tlogs\[0\]\.publicKey"),
    "an empty chain": ({"certificateAuthorities": [{"certChain": {}}]}, "has no certificate"),
}


@pytest.mark.parametrize(("change", "problem"), REFUSED.values(), ids=REFUSED)
def test_refused(change: dict[str, Any], problem: str) -> None:
    """Malformed, which says what is wrong, and where."""
    with pytest.raises(Malformed, match=problem):
        parse_trusted_root(json.dumps({**json.loads(trusted_root()), **change}).encode())
