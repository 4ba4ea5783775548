"""Trusted roots: which logs and authorities a verifier trusts, and since when (https://github.com/sigstore/
protobuf-specs, sigstore_trustroot.proto).

The file decides whom to trust, so it comes from the verifier, never from what is verified. Fields that are newer than
this module are skipped: operators add them for newer clients, and each one here says alone whom it is about.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tiles.errors import Malformed, UsageError
from tiles.notes.encoding import encode_base64
from tiles.sigstore.json_text import Item, parse_item

# the only type that all clients read; there is a 0.2, which sigstore-python and sigstore-go refuse
MEDIA_TYPE = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
MAX_ROOT_SIZE = 4 << 20  # bytes of a file

_WHAT = "trusted root"
_MEDIA_TYPES = (MEDIA_TYPE, "application/vnd.dev.sigstore.trustedroot.v0.2+json")
_MAX_INSTANCES = 256  # logs or authorities of one kind
MAX_CERTIFICATES = 16  # of a chain
# RFC 3339 section 5.6, in UTC, as protocol buffers print a Timestamp
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)
_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?(?:[^/?#@]*@)?([^/?#@:\[\]]+)(?::\d+)?(?:[/?#].*)?", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Period:
    """When a key or authority is to be trusted, both ends included; None: since ever, or without an end."""

    start: datetime | None = None
    end: datetime | None = None

    def __str__(self) -> str:
        ends = [f"{word} {time:%Y-%m-%d}" for word, time in (("from", self.start), ("to", self.end)) if time]
        return " ".join(ends) or "at any time"

    def holds(self, time: datetime) -> bool:
        """Whether a time, with its zone, is in it."""
        return (self.start is None or self.start <= time) and (self.end is None or time <= self.end)


@dataclass(frozen=True, slots=True)
class TrustedLog:
    """A transparency log: of signatures (`TrustedRoot.logs`) or of certificates (`TrustedRoot.ct_logs`).

    base_url      where it is written to; identifies it, and need not answer
    key           DER SubjectPublicKeyInfo, or PKCS#1 where key_details says so
    key_details   such as "PKIX_ED25519"
    log_id        names the key in entries; of logs of signatures, the 32 bytes of which a note's key id has the first 4
    period        in which it signs
    """

    base_url: str
    key: bytes = field(repr=False)
    key_details: str
    log_id: bytes
    period: Period = Period()

    @property
    def host(self) -> str:
        """The host name in base_url, which has to be the log's origin; "" if there is none."""
        match = _HOST.fullmatch(self.base_url)
        return match[1] if match else ""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority, or a timestamp authority.

    certificates   DER, from the lowest to the root
    organization, common_name   of its subject
    """

    certificates: tuple[bytes, ...] = field(repr=False)
    uri: str = ""
    organization: str = ""
    common_name: str = ""
    period: Period = Period()

    @property
    def called(self) -> str:
        """How messages call it."""
        return self.uri or self.common_name or "the authority"


@dataclass(frozen=True, slots=True)
class TrustedRoot:
    """Whom a verifier trusts."""

    logs: tuple[TrustedLog, ...]
    authorities: tuple[Authority, ...] = ()
    ct_logs: tuple[TrustedLog, ...] = ()
    timestamp_authorities: tuple[Authority, ...] = ()

    def with_other(self, other: TrustedRoot) -> TrustedRoot:
        """Return what trusts all that this one and another one trust; of a log that both have, what this one says.

        Raises UsageError if that is more than a trusted root can hold.
        """
        logs, ct_logs = (
            (*mine, *(log for log in others if log.log_id not in {each.log_id for each in mine}))
            for mine, others in ((self.logs, other.logs), (self.ct_logs, other.ct_logs))
        )
        authorities, stampers = (
            tuple(dict.fromkeys((*mine, *others)))
            for mine, others in (
                (self.authorities, other.authorities),
                (self.timestamp_authorities, other.timestamp_authorities),
            )
        )
        if max(map(len, (logs, authorities, ct_logs, stampers))) > _MAX_INSTANCES:
            raise UsageError(f"a trusted root has at most {_MAX_INSTANCES} logs or authorities of one kind")
        return TrustedRoot(logs, authorities, ct_logs, stampers)

    @property
    def item(self) -> dict[str, Any]:
        """The trusted root as a JSON value. Lists that are empty are there, because sigstore-python demands some."""
        return {
            "mediaType": MEDIA_TYPE,
            "tlogs": [_log_item(log) for log in self.logs],
            "certificateAuthorities": [_authority_item(one) for one in self.authorities],
            "ctlogs": [_log_item(log) for log in self.ct_logs],
            "timestampAuthorities": [_authority_item(one) for one in self.timestamp_authorities],
        }

    @property
    def data(self) -> bytes:
        """The trusted root as a file."""
        return f"{json.dumps(self.item, indent=2)}\n".encode("ascii")


def parse_trusted_root(data: bytes) -> TrustedRoot:
    """Return whom a file says to trust. Raises Malformed.

    The file may also be a client's trust configuration (clienttrustconfig), of which the trusted root is taken.
    """
    whole = parse_item(data, _WHAT, MAX_ROOT_SIZE)
    if whole.has("trustedRoot"):
        whole = whole.object("trustedRoot")
    media_type = whole.text("mediaType")
    if media_type not in _MEDIA_TYPES:
        raise Malformed(_WHAT, f"not {MEDIA_TYPE}", media_type)
    return TrustedRoot(
        tuple(_log(item) for item in whole.objects("tlogs", _MAX_INSTANCES)),
        tuple(_authority(item) for item in whole.objects("certificateAuthorities", _MAX_INSTANCES)),
        tuple(_log(item) for item in whole.objects("ctlogs", _MAX_INSTANCES)),
        tuple(_authority(item) for item in whole.objects("timestampAuthorities", _MAX_INSTANCES)),
    )


def format_time(time: datetime) -> str:
    """Return a time, in UTC, as protocol buffers print a Timestamp; to the second."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _log_item(log: TrustedLog) -> dict[str, Any]:
    key = {"rawBytes": encode_base64(log.key), "keyDetails": log.key_details, **_period_item(log.period)}
    return {
        "baseUrl": log.base_url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": key,
        "logId": {"keyId": encode_base64(log.log_id)},
    }


def _authority_item(authority: Authority) -> dict[str, Any]:
    return {
        "subject": {"organization": authority.organization, "commonName": authority.common_name},
        "uri": authority.uri,
        "certChain": {"certificates": [{"rawBytes": encode_base64(each)} for each in authority.certificates]},
        **_period_item(authority.period),
    }


def _period_item(period: Period) -> dict[str, Any]:
    ends = {"start": period.start, "end": period.end}
    valid = {name: format_time(time) for name, time in ends.items() if time is not None}
    return {"validFor": valid} if valid else {}


def _log(item: Item) -> TrustedLog:
    key = item.object("publicKey")
    return TrustedLog(
        item.text("baseUrl", ""),
        key.data("rawBytes"),
        key.text("keyDetails"),
        item.object("logId").data("keyId"),
        _period(key),
    )


def _authority(item: Item) -> Authority:
    chain = item.object("certChain").objects("certificates", MAX_CERTIFICATES)
    if not chain:
        raise Malformed(_WHAT, f"{item.place} has no certificate")
    subject = item.object("subject") if item.has("subject") else Item(_WHAT, {})
    return Authority(
        tuple(each.data("rawBytes") for each in chain),
        item.text("uri", ""),
        subject.text("organization", ""),
        subject.text("commonName", ""),
        _period(item),
    )


def _period(item: Item) -> Period:
    if not item.has("validFor"):
        return Period()
    valid = item.object("validFor")
    return Period(_time(valid, "start"), _time(valid, "end"))


def _time(item: Item, name: str) -> datetime | None:
    if not item.has(name):
        return None
    text = item.text(name)
    match = _TIME.fullmatch(text)
    if match:
        try:
            time = datetime.strptime(match[1], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
            return time.replace(microsecond=int((match[2] or "").ljust(6, "0")[:6]))
        except ValueError:
            pass
    raise Malformed(_WHAT, f"{item.place}.{name} is not a time in UTC (RFC 3339)", text)
