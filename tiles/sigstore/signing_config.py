"""What clients of Sigstore need to sign: signing configurations, version 0.2, and client trust configurations
(https://github.com/sigstore/protobuf-specs, sigstore_trustroot.proto, `SigningConfig`, `ClientTrustConfig`).

They are written here and not read: whoever signs with tiletree names its log.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tiles.sigstore.trusted_root import TrustedRoot, format_time

MEDIA_TYPE = "application/vnd.dev.sigstore.signingconfig.v0.2+json"
TRUST_CONFIG_TYPE = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"

_LOG_API, _TIMESTAMP_API = 2, 1  # major versions: Rekor v2's, and the one there is of a timestamp authority


@dataclass(frozen=True, slots=True)
class SigningConfig:
    """Where a client has its signatures logged and timestamped.

    logs, timestamps   addresses: of a log without the path of its API (cosign appends /api/v2/log/entries), of a
                       timestamp authority as a whole. Without a log, cosign signs all the same, and `staple` logs it
    operator           who runs them: clients ask one service of each operator
    start              since when, in UTC; clients take none without
    """

    operator: str
    start: datetime
    logs: tuple[str, ...] = ()
    timestamps: tuple[str, ...] = ()

    @property
    def item(self) -> dict[str, Any]:
        """The configuration as a JSON value."""
        return {
            "mediaType": MEDIA_TYPE,
            "caUrls": [],
            "oidcUrls": [],
            "rekorTlogUrls": self._services(self.logs, _LOG_API),
            "tsaUrls": self._services(self.timestamps, _TIMESTAMP_API),
            "rekorTlogConfig": {"selector": "ANY"},
            "tsaConfig": {"selector": "ANY"},
        }

    @property
    def data(self) -> bytes:
        """The configuration as a file."""
        return _file(self.item)

    def _services(self, urls: Sequence[str], version: int) -> list[dict[str, Any]]:
        valid = {"start": format_time(self.start)}
        same = {"majorApiVersion": version, "validFor": valid, "operator": self.operator}
        return [{"url": url, **same} for url in urls]


def trust_config(root: TrustedRoot, signing: SigningConfig) -> bytes:
    """Return the file that holds both, as `sigstore --trust-config` takes it."""
    return _file({"mediaType": TRUST_CONFIG_TYPE, "trustedRoot": root.item, "signingConfig": signing.item})


def _file(value: dict[str, Any]) -> bytes:
    return f"{json.dumps(value, indent=2)}\n".encode("ascii")
