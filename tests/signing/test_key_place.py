"""Places of keys: what each text names, how it is shown, and what is refused without being repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiles.errors import UsageError
from tiles.signing.key_place import AwsKey, GcpKey, KeyPlace, Kind, parse_key_place, without_pin

UUID = "1234abcd-12ab-34cd-56ef-1234567890ab"
ARN = f"arn:aws:kms:eu-central-1:111122223333:key/{UUID}"
VERSION = "projects/example.com:p/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/12"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (f"awskms:///{UUID}", AwsKey(UUID)),
        ("awskms:///alias/logs/one?region=eu-west-1", AwsKey("alias/logs/one", "eu-west-1")),
        (f"awskms:///{ARN}", AwsKey(ARN, "eu-central-1")),
        (f"awskms:///{ARN}?region=eu-central-1", AwsKey(ARN, "eu-central-1")),
        ("AWSKMS:///mrk-12?profile=ci", AwsKey("mrk-12", profile="ci")),
        ("awskms:///x?endpoint=http://127.0.0.1:4566/", AwsKey("x", endpoint="http://127.0.0.1:4566")),
    ],
)
def test_keys_of_aws(text: str, key: AwsKey) -> None:
    """An id, an alias or an ARN, which names its region; options say the rest."""
    place = parse_key_place(text)
    assert (place.kind, place.aws, place.path, place.is_service) == (Kind.AWS, key, None, True)
    assert str(place) == text.partition("?")[0]
    assert place.remembered == text


def test_keys_of_google() -> None:
    """A version of a key, as Google's tools name it."""
    place = parse_key_place(f"gcpkms://{VERSION}?endpoint=https://kms.example.com")
    assert (place.kind, place.gcp) == (Kind.GCP, GcpKey(VERSION, "https://kms.example.com"))
    assert str(place) == f"gcpkms://{VERSION}"
    assert parse_key_place(f"gcpkms://{VERSION}".replace("cryptoKeyV", "v")).gcp == GcpKey(VERSION)  # as cosign has it


def test_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything else is a file, remembered by its absolute path."""
    monkeypatch.chdir(tmp_path)
    place = parse_key_place("./pkcs11:x.key")
    assert (place.kind, place.path, place.is_service) == (Kind.FILE, Path("pkcs11:x.key"), False)
    assert place.remembered == str(tmp_path / "pkcs11:x.key")
    assert str(KeyPlace(Kind.ENVIRONMENT, "TILETREE_PRIVATE_KEY")) == "$TILETREE_PRIVATE_KEY"


def test_a_pin_is_neither_shown_nor_remembered() -> None:
    """It is given to the token only."""
    place = parse_key_place("pkcs11:object=k?pin-value=s3cr3t&module-path=/m.so")
    assert place.pkcs11.pin == "s3cr3t"
    assert str(place) == place.remembered == "pkcs11:object=k?module-path=/m.so"
    assert "s3cr3t" not in repr(place) + repr(place.pkcs11)
    assert without_pin("pkcs11:object=k?PIN-VALUE=s3cr3t") == "pkcs11:object=k"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("a\0b", "no name that a file"),
        ("awskms://alias/s3cr3t", "three slashes"),
        ("awskms:/alias/s3cr3t", "no place of a key"),
        ("awskms:///", "three slashes"),
        ("awskms:///alias/s3cr3t two", "three slashes"),
        ("awskms:///x?password=s3cr3t", "an option is not known"),
        ("awskms:///x?s3cr3t", "an option is not known"),
        ("awskms:///x#s3cr3t", "three slashes"),
        ("awskms:///x?region=", "an option is not known, or empty"),
        ("awskms:///x?region=s3cr3t!", "is not the name of one"),
        ("awskms:///x?endpoint=https://me:s3cr3t@host", "endpoint= of the URL is not"),
        (f"awskms:///{ARN}?region=us-east-1", "the ARN is of the region eu-central-1"),
        (f"gcpkms://{VERSION}?region=s3cr3t", "an option is not known"),
        (f"gcpkms://{VERSION.rpartition('/cryptoKeyVersions')[0]}", "the version of the key is missing"),
        (f"gcpkms:///{VERSION}", "not gcpkms://projects/"),
        ("gcpkms://projects/p", "not gcpkms://projects/"),
        ("azurekms://s3cr3t", "no place of a key"),
        ("https://me:s3cr3t@host/k", "no place of a key"),
        ("file:///s3cr3t", "no place of a key"),
        ("pkcs11:s3cr3t", "is not known"),
    ],
)
def test_no_places(text: str, message: str) -> None:
    """What is malformed is refused before anything is asked, and not repeated: it may hold a secret."""
    with pytest.raises(UsageError, match=message) as caught:
        parse_key_place(text)
    assert "s3cr3t" not in caught.value.message + caught.value.hint
