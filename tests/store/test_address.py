"""Addresses: which forms there are, the one form that is remembered, and that no secret in one is ever shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.signed_text import LOG
from tiles.errors import TilesError, UsageError
from tiles.inbox.submit import submit
from tiles.read.fetcher import open_log
from tiles.read.fsspec_fetcher import FsspecFetcher
from tiles.store.address import (
    absolute,
    bucket_of,
    check_apart,
    check_place,
    directory_of,
    is_object_url,
    name_of,
    normal_url,
    shown_address,
    shown_object_url,
    with_suffix,
)
from tiles.store.memory import MemoryStore
from tiles.user.files import xdg_directory
from tiles.user.known_logs import FILE, Remembered, remember
from tiles.user.places import (
    anchor_store,
    inbox_store,
    private_in_bucket,
    private_store,
    private_url,
    public_store,
)
from tiles.user.trusted_keys import Trust


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://Log.Example.com:443/a/", "https://log.example.com/a"),
        ("HTTPS://log.example.com", "https://log.example.com"),
        ("http://me:secret@log.example.com:80/a//?token=x", "http://log.example.com/a"),
        ("http://log.example.com:8080/", "http://log.example.com:8080"),
        ("http://log.example.com:443/", "http://log.example.com:443"),
        ("https://log.example.com/a/../b/./c/", "https://log.example.com/b/c"),
        ("http://[::1]:80/", "http://[::1]"),
        ("/some/log/", "/some/log"),
        ("/some/../log", "/log"),
        ("file:///some/log/", "/some/log"),
        ("s3://bucket/log/", "s3://bucket/log"),
        ("S3://key:secret@bucket/log?endpoint=https://x", "s3://bucket/log"),
        ("fsspec+s3://bucket/log/", "fsspec+s3://bucket/log"),
        ("s3://key:sec/ret@bucket/log", "s3://bucket/log"),
        ("sftp://me:secret@host:22/log#x", "sftp://host:22/log"),
        ("github://org:repo@main/log/", "github://org:repo@main/log"),
        ("zip://log::https://me:secret@host/a.zip?token=x", "zip://log::https://host/a.zip"),
        ("memory://a:b/c", "memory://a:b/c"),
    ],
)
def test_normal_url(url: str, normal: str) -> None:
    """A log has one name, however its URL is written, and no secret in it."""
    assert normal_url(url) == normal
    assert normal_url(normal) == normal


def test_normal_url_of_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path is remembered as what it is now."""
    monkeypatch.chdir(tmp_path)
    assert normal_url("log/") == normal_url("./log") == str(tmp_path / "log")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user of its own, in an empty directory."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / "XDG_CONFIG_HOME"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("log", "name"),
    [
        ("S3://bucket/a/log/?region=x", "s3://bucket/a/log"),
        ("s3://bucket/a%20b", "s3://bucket/a b"),
        ("gs://bucket", "gs://bucket"),
        ("log", "{here}/log"),
        ("./x/../log/", "{here}/log"),
        ("file:///srv/log", "/srv/log"),
    ],
)
def test_one_name(log: str, name: str, home: Path) -> None:
    """A log has one name, however it is named."""
    assert name_of(log) == name.format(here=home.resolve())


@pytest.mark.parametrize(
    ("log", "private", "apart"),
    [
        ("s3://b/log", "s3://b/log", False),
        ("s3://b/log", "s3://b/log/private", False),
        ("s3://b/log/public", "s3://b/log", False),
        ("s3://b", "s3://b/private", False),
        ("s3://b/log", "S3://b/log/?region=x", False),
        ("s3://b/log", "s3://b/l%6fg/private", False),
        ("s3://b/log", "s3://b/log.private", True),
        ("s3://b/log", "s3://b/log2", True),
        ("s3://b/log2", "s3://b/log", True),
        ("s3://b/log", "s3://c/log", True),
        ("s3://b/log", "gs://b/log", True),
        ("log", "log", False),
        ("log", "./log/private", False),
        ("a/log", "a", False),
        ("log", "x/../log/p", False),
        ("log", "log2", True),
        ("log", "log.private", True),
        ("log", "s3://b/log", True),
    ],
)
def test_apart(log: str, private: str, apart: bool) -> None:
    """Neither part is inside the other, however both are named; a name that begins alike is another one."""
    if apart:
        assert private_url(log, private) == private
        return
    with pytest.raises(UsageError, match="may not be inside the public one, nor around it"):
        private_url(log, private)


def test_apart_by_links(home: Path) -> None:
    """A link into the public part is inside it."""
    (home / "log").mkdir()
    (home / "link").symlink_to(home / "log")
    with pytest.raises(UsageError, match="inside"):
        private_url("log", "link/private")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("https://h/log", "https:// cannot be written"),
        ("file://log", "does not name an absolute path"),
        ("", "names no directory"),
        ("a\0b", "names no directory"),
        ("~nobody-of-that-name/log", "home directory of a user who is not there"),
    ],
)
def test_wrong_places(wrong: str, said: str) -> None:
    """What cannot be written to is a wrong call."""
    with pytest.raises(UsageError, match=said):
        directory_of(wrong)


def test_parts_of_urls() -> None:
    """The shown form has no options; a suffix goes to the prefix, not to the options."""
    assert shown_object_url("S3://b/a%20b/?region=x") == "s3://b/a b"
    assert bucket_of("gs://b/log?endpoint=http://h") == "gs://b"
    assert with_suffix("s3://b/log/?region=x", ".private") == "s3://b/log.private?region=x"
    assert is_object_url("AZ://c")
    assert not is_object_url("s3:b")
    assert not is_object_url("file:///s3://b")


# ---- no secret is shown

SECRET = "S3CR3T"

ADDRESSES = {
    "user and password": f"https://me:{SECRET}@log.example.com/log",
    "a token in the query": f"https://log.example.com/log?sig={SECRET}",
    "both, in capitals": f"HTTPS://me:{SECRET}@LOG.example.com:443/log/?sig={SECRET}",
    "a fragment": f"https://me:{SECRET}@log.example.com/#part",
    "no host": f"https://me:{SECRET}@/log",
    "no port": f"https://me:{SECRET}@log.example.com:no/log",
    "a space": f"https://me:{SECRET}@log.example.com/a b",
    "before the scheme": f"me:{SECRET}@https://log.example.com/log",
    "a key of S3": f"s3://AKIA:{SECRET}@bucket/log",
    "a key with a slash": f"s3://AKIA:x/{SECRET}@bucket/log",
    "an option of another store": f"az://container/log?sv=2022&sig={SECRET}",
    "an option's name": f"s3://bucket/log?{SECRET}=x",
    "an endpoint": f"gs://bucket/log?endpoint=https://me:{SECRET}@host",
    "a file with a user": f"file://me:{SECRET}@host/log",
    "sftp": f"sftp://me:{SECRET}@127.0.0.1:1/log",
    "fsspec's own S3": f"fsspec+s3://AKIA:{SECRET}@bucket/log?sig={SECRET}",
    "a chain": f"zip://log::https://me:{SECRET}@127.0.0.1:1/a.zip?sig={SECRET}",
    "an unknown scheme": f"nosuch://me:{SECRET}@host/log?sig={SECRET}",
}


def a_trusted_key(address: str) -> str:
    """Return the file of trusted keys, once a log is in it."""
    trust = Trust()
    trust.trust(address, LOG.verifier.vkey)
    return trust.path.read_text()


def a_known_log(address: str) -> str:
    """Return the file of known logs, once a log is in it whose parts could be opened."""
    public_store(address)
    remember(name_of(address), Remembered(absolute(address)))
    return (xdg_directory("XDG_CONFIG_HOME", ".config") / FILE).read_text()


PLACES: dict[str, Callable[[str], object]] = {
    "shown_address": shown_address,
    "normal_url": normal_url,
    "name_of": name_of,
    "shown_object_url": shown_object_url,
    "bucket_of": bucket_of,
    "check_apart": lambda address: check_apart(address, address),
    "directory_of": directory_of,
    "open_log": lambda address: open_log(address).url,
    "FsspecFetcher": lambda address: FsspecFetcher(address).url,
    "public_store": lambda address: public_store(address).url,
    "private_store": lambda address: private_store(address).url,
    "private_store of a named one": lambda address: private_store("log", address).url,
    "private_in_bucket": private_in_bucket,
    "inbox_store": lambda address: inbox_store(address).url,
    "anchor_store": lambda address: anchor_store(Path("k"), address).url,
    "trusted keys": a_trusted_key,
    "known logs": a_known_log,
    "a receipt": lambda address: submit(MemoryStore(), "ann", [b"x"], bytes(16), log=address).data,
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
@pytest.mark.parametrize("address", ADDRESSES.values(), ids=ADDRESSES.keys())
def test_no_secret_is_shown(address: str, place: Callable[[str], object], home: Path) -> None:
    """Whatever shows or keeps an address has no secret of it, nor has an error, its hint, or what it came from."""
    try:
        said = repr(place(address))
    except TilesError as error:
        causes = [error, error.__cause__, None if error.__suppress_context__ else error.__context__]
        said = "".join(f"{cause} {cause!r} {getattr(cause, 'hint', '')}" for cause in causes)
    assert SECRET.lower() not in said.lower()


@pytest.mark.parametrize("address", ADDRESSES.values(), ids=ADDRESSES.keys())
def test_the_shown_form_is_one(address: str) -> None:
    """What is shown can be shown again, and still says of which kind it is."""
    shown = shown_address(address)
    assert shown_address(shown) == shown
    assert shown.partition("://")[1]


def test_paths_are_shown_as_they_are() -> None:
    """A path has no secrets, whatever characters are in it."""
    for path in ("log", "/a/me:x@b?c#d", "a@b"):
        assert shown_address(path) == path


@pytest.mark.parametrize("place", ["log", "a b/c", "\u00e9", "\u2028", "s3://b/\t", "-x"])
def test_places_of_a_new_log(place: str) -> None:
    """Whatever can stand on a line of text."""
    check_place(place)


@pytest.mark.parametrize("place", ["a\tb", "a\nb", "a\n/../b\r", "\x7f", "\x85", "\udcff", "./\x1b[2J/log"])
def test_places_that_no_log_is_begun_at(place: str) -> None:
    """What no file could name, and nobody type."""
    with pytest.raises(UsageError, match="control characters"):
        check_place(place)
