"""Where a key is kept: which forms such a place has, and how each is shown and remembered.

    log.key                                     a file
    awskms:///KEY?region=R&endpoint=URL         AWS KMS; KEY is a key id, alias/NAME, or the ARN of a key or an alias
    gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/N     Google Cloud KMS
    pkcs11:token=T;object=O?module-path=FILE    a token that speaks PKCS#11, as RFC 7512 names it
    $TILETREE_PRIVATE_KEY                       the environment holds the key itself

A place as it was written may hold a PIN. It is given only to the code that opens it; what is printed, remembered or put
into an error is its shown form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from urllib.parse import parse_qsl

from tiles.errors import UsageError
from tiles.signing.pkcs11_uri import PIN, TokenKey, parse_pkcs11_uri
from tiles.signing.pkcs11_uri import SCHEME as PKCS11_SCHEME
from tiles.store.address import check_endpoint

AWS_SCHEME, GCP_SCHEME = "awskms://", "gcpkms://"

_AWS_KEY = re.compile(r"[A-Za-z0-9:/_-]{1,2048}", re.ASCII)
_REGION = re.compile(r"[a-z0-9-]{1,40}", re.ASCII)
_REGION_IN_ARN = re.compile(r"arn:[a-z-]+:kms:([a-z0-9-]{1,40}):[0-9]{12}:(?:key|alias)/.+", re.ASCII)
_PROFILE = re.compile(r"[A-Za-z0-9 ._@/+-]{1,128}", re.ASCII)
_PART = r"/[A-Za-z0-9_.:-]{1,100}"  # a project may be named domain.example:project
_GCP_KEY = re.compile(
    rf"projects{_PART}/locations{_PART}/keyRings{_PART}/cryptoKeys{_PART}(?:/(?:cryptoKeyV|v)ersions/([0-9]{{1,10}}))?",
    re.ASCII,
)
_FORMS = "a file, awskms:///KEY, gcpkms://projects/…/cryptoKeyVersions/N, or pkcs11:…"
_SIMILAR = re.compile(r"(?:[a-z0-9+.]*kms|pkcs11)://?", re.ASCII | re.IGNORECASE)


class Kind(Enum):
    """What keeps a key."""

    FILE = "file"
    ENVIRONMENT = "environment"
    AWS = "AWS KMS"
    GCP = "Google Cloud KMS"
    PKCS11 = "PKCS#11"


@dataclass(frozen=True, slots=True)
class AwsKey:
    """A key in AWS KMS. key: as the service names it; region, endpoint, profile: "" where boto3 finds it itself"""

    key: str
    region: str = ""
    endpoint: str = ""
    profile: str = ""


@dataclass(frozen=True, slots=True)
class GcpKey:
    """A version of a key in Google Cloud KMS. name: as the service names it; endpoint: "" for Google's own"""

    name: str
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where a key is kept. Make one with `parse_key_place`.

    text   as it was named; for ENVIRONMENT, the name of the variable
    """

    kind: Kind
    text: str = field(repr=False)

    @property
    def path(self) -> Path | None:
        """The file that holds the key; None if no file does."""
        return Path(self.text) if self.kind is Kind.FILE else None

    @property
    def is_service(self) -> bool:
        """Whether something else signs, and the key does not come here: it has no name then, and no file beside it."""
        return self.kind not in (Kind.FILE, Kind.ENVIRONMENT)

    @property
    def aws(self) -> AwsKey:
        """What AWS KMS is asked for. Raises UsageError."""
        return _parse_aws(self.text)

    @property
    def gcp(self) -> GcpKey:
        """What Google Cloud KMS is asked for. Raises UsageError."""
        return _parse_gcp(self.text)

    @property
    def pkcs11(self) -> TokenKey:
        """What a token is asked for. Raises UsageError."""
        return parse_pkcs11_uri(self.text)

    @property
    def remembered(self) -> str:
        """The place as later calls find it, wherever they are made: without a PIN."""
        return str(Path(self.text).resolve()) if self.kind is Kind.FILE else without_pin(self.text)

    def __str__(self) -> str:
        if self.kind is Kind.ENVIRONMENT:
            return f"${self.text}"
        shown = without_pin(self.text)
        return shown if self.kind in (Kind.FILE, Kind.PKCS11) else shown.partition("?")[0]


def parse_key_place(text: str) -> KeyPlace:
    """Return the place that a text names. Raises UsageError, which repeats no text that may hold a secret."""
    for scheme, kind, parse in (
        (AWS_SCHEME, Kind.AWS, _parse_aws),
        (GCP_SCHEME, Kind.GCP, _parse_gcp),
        (PKCS11_SCHEME, Kind.PKCS11, parse_pkcs11_uri),
    ):
        if text.lower().startswith(scheme):
            parse(text)  # what is malformed is refused now, before anything is asked
            return KeyPlace(kind, text)
    if "://" in text or _SIMILAR.match(text):
        raise UsageError("that is no place of a key", hint=f"it is {_FORMS}")
    if not text or "\0" in text:
        raise UsageError("the name of a key is empty, or no name that a file can have", hint=f"it is {_FORMS}")
    return KeyPlace(Kind.FILE, text)


def without_pin(text: str) -> str:
    """Return the text of a place without the PIN that it may hold."""
    base, _, query = text.partition("?")
    kept = [part for part in query.split("&") if part and not part.lower().startswith(PIN)]
    return f"{base}?{'&'.join(kept)}" if kept else base


def _parse_aws(text: str) -> AwsKey:
    host, slash, key = text[len(AWS_SCHEME) :].partition("?")[0].partition("/")
    if host or not slash or not _AWS_KEY.fullmatch(key):
        raise UsageError(
            "not awskms:///KEY?region=R&endpoint=URL, with three slashes",
            hint="KEY is a key id, alias/NAME, or the ARN of a key or of an alias; an ARN names its region",
        )
    options = _options(text, "region", "endpoint", "profile")
    arn, region = _REGION_IN_ARN.fullmatch(key), options.get("region", "")
    if (region and not _REGION.fullmatch(region)) or not _PROFILE.fullmatch(options.get("profile", "x")):
        raise UsageError("awskms: the region or the profile is not the name of one")
    if arn and region not in ("", arn[1]):
        raise UsageError(f"awskms: the ARN is of the region {arn[1]}, and ?region= names {region}")
    return AwsKey(key, region or (arn[1] if arn else ""), options.get("endpoint", ""), options.get("profile", ""))


def _parse_gcp(text: str) -> GcpKey:
    name = text[len(GCP_SCHEME) :].partition("?")[0]
    match = _GCP_KEY.fullmatch(name)
    if not match or not match[1]:
        raise UsageError(
            "the version of the key is missing"
            if match
            else "not gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/N",
            hint="`gcloud kms keys versions list` has the names; the first version is cryptoKeyVersions/1",
        )
    name = f"{name.rpartition('/')[0].rpartition('/')[0]}/cryptoKeyVersions/{match[1]}"  # cosign writes versions/N
    return GcpKey(name, _options(text, "endpoint").get("endpoint", ""))


def _options(text: str, *known: str) -> dict[str, str]:
    """Return the options of a URL. Raises UsageError for one that is not known, which is not repeated."""
    query = text.partition("?")[2]
    options = dict(parse_qsl(query, keep_blank_values=True))
    if "#" in text or (query and not options) or not set(options) <= set(known) or "" in options.values():
        scheme = text.partition(":")[0].lower()
        raise UsageError(f"{scheme}: an option is not known, or empty", hint=f"these are: {', '.join(known)}")
    if "endpoint" in options:
        options["endpoint"] = check_endpoint(options["endpoint"])
    return options
