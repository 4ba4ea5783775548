from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.support.readers import OTHER_KEY
from tests.support.signed_text import LOG, ORIGIN
from tiles.errors import AccessError, Refused, UsageError
from tiles.notes.keys import signing_key
from tiles.user.pinned import FIRST_USE, REMEMBERED
from tiles.user.trusted_keys import MAX_NAME, Known, Trust

URL = "https://log.example.com/a"
KEY, OTHER = LOG.verifier, OTHER_KEY.verifier
ELSEWHERE = signing_key("other.example.com", bytes(32)).verifier


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    """Return an empty memory."""
    return Trust(tmp_path / "config")


# ---- what is remembered


def test_nothing_yet(trust: Trust) -> None:
    """An empty memory knows nothing, and asking makes no file."""
    assert trust.lookup(URL) is None
    assert trust.lookup_origin(ORIGIN) is None
    assert trust.all() == {}
    assert not trust.forget(URL)
    assert not trust.path.parent.exists()


def test_file(trust: Trust) -> None:
    """The file is a title and a line per log, sorted, mode 0600, and reads back equal."""
    trust.trust("https://b.example.com", ELSEWHERE.vkey)
    trust.first_use("/srv/a log", KEY.vkey)
    assert trust.path.read_text() == (
        f"tiletree-trust/v1\nfirst-use {KEY.vkey} /srv/a log\nremembered {ELSEWHERE.vkey} https://b.example.com\n"
    )
    assert stat.S_IMODE(trust.path.stat().st_mode) == 0o600
    assert Trust(trust.path.parent).all() == {
        "/srv/a log": Known("/srv/a log", KEY, FIRST_USE),
        "https://b.example.com": Known("https://b.example.com", ELSEWHERE, REMEMBERED),
    }


@pytest.mark.parametrize("url", [URL, URL + "/", "https://LOG.example.com:443/a", "https://me:pw@log.example.com/a/?q"])
def test_one_log_one_name(trust: Trust, url: str) -> None:
    """A log is known however its URL is written, and no secret in a URL is remembered."""
    trust.trust(url, KEY.vkey)
    assert trust.lookup(URL) == trust.lookup(url) == Known(URL, KEY, REMEMBERED)
    assert "pw" not in trust.path.read_text()
    assert trust.forget(url)
    assert trust.all() == {}


def test_directory(trust: Trust, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory is known by its absolute path."""
    monkeypatch.chdir(tmp_path)
    trust.trust("log", KEY.vkey)
    assert trust.lookup(f"{tmp_path}/log/") == Known(f"{tmp_path}/log", KEY, REMEMBERED)
    assert trust.lookup(f"file://{tmp_path}/log") is not None


@pytest.mark.parametrize("first", ["trust", "first_use"])
@pytest.mark.parametrize("second", ["trust", "first_use"])
def test_another_key(trust: Trust, first: str, second: str) -> None:
    """Another key for a known log is refused, both keys are named, and nothing changes."""
    getattr(trust, first)(URL, KEY.vkey)
    before = trust.path.read_bytes()
    with pytest.raises(Refused) as caught:
        getattr(trust, second)(URL, OTHER.vkey)
    assert KEY.vkey in caught.value.message
    assert OTHER.vkey in caught.value.message
    assert trust.path.read_bytes() == before


def test_replace(trust: Trust) -> None:
    """Another key takes the place of the known one only where the user says so."""
    trust.first_use(URL, KEY.vkey)
    assert trust.trust(URL, OTHER.vkey, replace=True) == trust.lookup(URL) == Known(URL, OTHER, REMEMBERED)


def test_same_key_again(trust: Trust) -> None:
    """The same key again is no conflict: what was first use becomes remembered, and never the other way round."""
    assert trust.first_use(URL, KEY.vkey).how == FIRST_USE
    assert trust.first_use(URL, KEY.vkey).how == FIRST_USE
    assert trust.trust(URL, KEY.vkey).how == REMEMBERED
    assert trust.first_use(URL, KEY.vkey).how == REMEMBERED
    assert trust.lookup(URL) == Known(URL, KEY, REMEMBERED)


def test_lookup_origin(trust: Trust) -> None:
    """By origin only the key is found that the user said to trust; one origin has one key."""
    trust.first_use("https://first.example.com", KEY.vkey)
    assert trust.lookup_origin(ORIGIN) is None
    trust.trust(URL, KEY.vkey)
    trust.trust("/a/copy", KEY.vkey)
    trust.trust("https://other.example.com", ELSEWHERE.vkey)
    found = trust.lookup_origin(ORIGIN)
    assert found is not None
    assert [log.key for log in found.logs] == [KEY]
    with pytest.raises(Refused, match="/a/copy"):
        trust.trust("/another/copy", OTHER.vkey)
    trust.trust("/another/copy", OTHER.vkey, replace=True)
    replaced = trust.lookup_origin(ORIGIN)
    assert replaced is not None
    assert [log.key for log in replaced.logs] == [OTHER]
    assert {url: known.key for url, known in trust.all().items()} == {
        "https://first.example.com": OTHER,
        URL: OTHER,
        "/a/copy": OTHER,
        "/another/copy": OTHER,
        "https://other.example.com": ELSEWHERE,
    }


def test_first_use_beside_a_trusted_key(trust: Trust) -> None:
    """Another key for an origin that the user has named is refused; two first uses are nobody's word."""
    trust.first_use(URL, KEY.vkey)
    trust.first_use("/elsewhere", OTHER.vkey)
    trust.trust("https://other.example.com", ELSEWHERE.vkey)
    theirs = signing_key(ELSEWHERE.name, bytes([7]) * 32).verifier
    before = trust.path.read_bytes()
    with pytest.raises(Refused, match=r"at https://other\.example\.com"):
        trust.first_use("/third", theirs.vkey)
    assert trust.path.read_bytes() == before


def test_a_log_that_was_begun(trust: Trust) -> None:
    """It is known by its key, whatever was known of its address; what the user has said of its name elsewhere stays."""
    trust.first_use(URL, ELSEWHERE.vkey)
    trust.first_use("/copy", OTHER.vkey)
    assert (trust.begun(URL, KEY.vkey).how, trust.begun(URL, KEY.vkey).key) == (REMEMBERED, KEY)
    assert trust.begun(URL, OTHER.vkey).key == OTHER
    before = trust.path.read_bytes()
    with pytest.raises(Refused, match=f"at {URL}"):
        trust.begun("/new", KEY.vkey)
    assert trust.path.read_bytes() == before


def test_names_that_are_too_long(trust: Trust) -> None:
    """A key is remembered if its name is of a sane length."""
    longest, longer = (signing_key("x" * size, bytes(32)).verifier for size in (MAX_NAME, MAX_NAME + 1))
    trust.trust(URL, longest.vkey)
    for key in (longer, signing_key("\u00e9" * MAX_NAME, bytes(32)).verifier):
        for call in (trust.trust, trust.first_use):
            with pytest.raises(UsageError, match="names of at most 255 are remembered"):
                call("/b", key.vkey)
    assert list(trust.all()) == [URL]


def test_nothing_is_written_that_could_not_be_read(trust: Trust, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that would be too long is not written; what is in it stays of use, and can be made shorter."""
    trust.trust("/a", KEY.vkey)
    monkeypatch.setattr("tiles.user.trusted_keys.MAX_TRUST_SIZE", trust.path.stat().st_size + 50)
    for call in (trust.trust, trust.first_use):
        with pytest.raises(AccessError, match="no room") as caught:
            call("/b", KEY.vkey)
        assert "key forget" in caught.value.hint
    assert list(trust.all()) == ["/a"]
    assert trust.forget("/a")
    assert trust.trust("/b", KEY.vkey) == trust.lookup("/b")


@pytest.mark.parametrize("vkey", ["", "x", KEY.vkey[:-1], KEY.vkey + "\n", f" {KEY.vkey}"])
def test_what_is_no_key(trust: Trust, vkey: str) -> None:
    """What is no key is a wrong call, and is not remembered."""
    with pytest.raises(UsageError):
        trust.trust(URL, vkey)
    assert not trust.path.exists()


@pytest.mark.parametrize("url", ["/a\nremembered x y", "/a\x00b", "~nobody-of-this-name/a", "", "http://"])
def test_what_is_no_url(trust: Trust, url: str) -> None:
    """A name that would not stay on its line is a wrong call."""
    with pytest.raises(UsageError):
        trust.trust(url, KEY.vkey)
    assert not trust.path.exists()


GOOD = f"tiletree-trust/v1\nremembered {KEY.vkey} /a\nremembered {KEY.vkey} /b\n"

DAMAGED = {
    "empty": "",
    "another title": GOOD.replace("v1", "v2"),
    "no newline at the end": GOOD[:-1],
    "empty line": GOOD + "\n",
    "unknown word": GOOD.replace("remembered", "pinned"),
    "no URL": f"tiletree-trust/v1\nremembered {KEY.vkey}\n",
    "no key": "tiletree-trust/v1\nremembered /a\n",
    "a wrong key": GOOD.replace(KEY.vkey, KEY.vkey.replace("+A", "+B")),
    "one log twice": GOOD.replace("/b", "/a"),
    "not sorted": GOOD.replace("/b", "/0"),
    "carriage returns": GOOD.replace("\n", "\r\n"),
    "two spaces": GOOD.replace("remembered ", "remembered  "),
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_file(trust: Trust, text: str) -> None:
    """A file not in its format is reported with its path, and neither used nor overwritten."""
    trust.path.parent.mkdir()
    trust.path.write_bytes(GOOD.encode())
    assert len(trust.all()) == 2
    trust.path.write_bytes(text.encode())
    for call in (
        lambda: trust.lookup(URL),
        lambda: trust.lookup_origin(ORIGIN),
        lambda: trust.trust(URL, KEY.vkey),
        lambda: trust.first_use(URL, KEY.vkey),
        lambda: trust.forget(URL),
    ):
        with pytest.raises(UsageError, match=str(trust.path)):
            call()
    assert trust.path.read_bytes() == text.encode()


def test_default_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a directory the file is in the user's configuration."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert Trust().path == tmp_path / "tiletree" / "trust"
