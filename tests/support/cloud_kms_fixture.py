"""Fixtures: a small Cloud KMS, for commands whose keys are in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.support.cloud_kms import Account, CloudKms
from tiles.signing import gcp_kms, service_key
from tiles.signing.open_key import held_key


@pytest.fixture(scope="module")
def kms_server() -> Iterator[CloudKms]:
    """Return a service that has an Ed25519 key, and one for artifacts."""
    kms = CloudKms()
    yield kms
    kms.close()


@pytest.fixture
def kms(kms_server: CloudKms, monkeypatch: pytest.MonkeyPatch) -> CloudKms:
    """Return the service as it was at first."""
    held_key.cache_clear()
    monkeypatch.setattr(gcp_kms.GcpKms, "_credentials", Account)
    monkeypatch.setattr(service_key, "PATIENCE", replace(service_key.PATIENCE, first=0.001))
    kms_server.reset()
    return kms_server
