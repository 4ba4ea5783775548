"""Signing configurations and trust configurations, as Sigstore's own models read them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from tiles.notes.keys import signing_key
from tiles.sigstore.log_key import trusted_log
from tiles.sigstore.signing_config import SigningConfig, trust_config
from tiles.sigstore.trusted_root import Period, TrustedRoot, parse_trusted_root

ORIGIN = "log.example.com"
START = datetime(2026, 5, 1, tzinfo=UTC)
LOG = trusted_log(signing_key(ORIGIN, bytes(range(32))).verifier, Period(START))
ROOT = TrustedRoot((LOG,))
CONFIG = SigningConfig(ORIGIN, START, ("http://127.0.0.1:3000",), ("https://tsa.example.com/api/v1/timestamp",))


def test_a_model_of_sigstore_reads_the_services() -> None:
    """It finds the log's address, its API's version, since when, and that one of all is enough."""
    from sigstore_models.trustroot.v1 import SigningConfig as Model

    read = Model.from_json(CONFIG.data)
    (log,), (tsa,) = read.rekor_tlog_urls, read.tsa_urls
    assert (log.url, log.major_api_version, log.operator) == ("http://127.0.0.1:3000", 2, ORIGIN)
    assert (tsa.url, tsa.major_api_version) == ("https://tsa.example.com/api/v1/timestamp", 1)
    assert [one.valid_for and one.valid_for.start for one in (log, tsa)] == [START, START]
    assert read.rekor_tlog_config is not None
    assert read.tsa_config is not None


def test_without_a_log() -> None:
    """Then cosign signs with no log."""
    from sigstore_models.trustroot.v1 import SigningConfig as Model

    assert not Model.from_json(SigningConfig(ORIGIN, START).data).rekor_tlog_urls


def test_a_trust_configuration() -> None:
    """sigstore-python loads it, and so do we: the trusted root is the one that was put in."""
    from sigstore.models import ClientTrustConfig

    data = trust_config(ROOT, CONFIG)
    ClientTrustConfig.from_json(data.decode())
    assert parse_trusted_root(data) == ROOT
    assert json.loads(data)["signingConfig"] == CONFIG.item
