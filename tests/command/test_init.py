"""`tiletree init`: what it makes, and what it refuses to make."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from tests.support.command_line import INIT_FIELDS, ORIGIN, WITNESS, Command


def test_init_says_what_it_made(tiletree: Command) -> None:
    """`init --json` is exactly this; the key is 0600 and never shown."""
    done = tiletree("init", "log", "--origin", ORIGIN, "--key", "k", "--json")
    assert done.code == 0
    assert list(done.json) == INIT_FIELDS
    assert (done.json["origin"], done.json["size"]) == (ORIGIN, 0)
    assert stat.S_IMODE(Path("k").stat().st_mode) == 0o600
    secret = Path("k").read_text().strip().split("+", 4)[4]
    assert secret not in done.out + done.err
    again = tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k")
    assert again == done.json


def test_init_without_a_key_keeps_one_by_origin(tiletree: Command) -> None:
    """Without --key, the key is kept in the user's configuration, and later commands find it by the log's origin."""
    tiletree.ok("init", "log", "--origin", "log.example.com/a b".replace(" ", "-"))
    Path("f").write_bytes(b"f")
    assert tiletree.ok("add", "log", "f")["size"] == 1
    assert tiletree.ok("status", "log")["anchor"]["size"] == 1


def test_a_policy_that_needs_witnesses_without_a_url_is_refused(tiletree: Command, log: str) -> None:
    """`init` with such a policy exits 4, says why, and makes nothing."""
    vkey = tiletree.ok("key", "generate", "other.example.com", "--out", "o")["vkey"]
    Path("policy").write_text(f"log {vkey}\nwitness w {WITNESS.verifier.vkey}\nquorum w\n")
    done = tiletree("init", "other", "--origin", "other.example.com", "--key", "o", "--policy", "policy")
    assert done.code == 4
    assert "give no URL" in done.err
    assert not Path("other").exists()
    assert not Path("other.private").exists()


def test_what_cannot_be_remembered_is_a_field(tiletree: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Later calls have to name the places: the JSON document says so, as the text does."""
    Path("file").write_bytes(b"")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(Path("file/home").absolute()))
    done = tiletree("init", "log", "--origin", ORIGIN, "--key", "k", "--json")
    assert done.code == 0, done
    assert "name --private, --key and --anchor" in done.json["not_remembered"]
    assert "the key is not remembered: " in done.json["not_remembered"]
    assert "trust" not in done.json


def test_the_own_log_is_remembered(tiletree: Command) -> None:
    """To who has begun it on this machine, a log is no first use, and its files verify without a vkey."""
    done = tiletree("init", "log", "--origin", ORIGIN, "--key", "k")
    assert done.out.splitlines()[-1] == "trust    remembered: this user knows the log by that key from now on"
    Path("a").write_bytes(b"a")
    tiletree.ok("add", "log", "a", "--proofs", "--key", "k")
    seen = tiletree("info", "log", "--json")
    assert (seen.json["trust"], seen.err) == ("remembered", "")
    assert tiletree.ok("verify", "a")["verified"]


def test_a_log_in_the_place_of_another_one(tiletree: Command) -> None:
    """What was begun anew at an address is known by its own key there."""
    for name in ("first", "second"):
        tiletree.ok("init", "log", "--origin", f"{name}.example.com", "--key", name)
        assert tiletree.ok("info", "log")["origin"] == f"{name}.example.com"
        for part in ("log", "log.private"):
            shutil.rmtree(part)
    assert [each["log"] for each in tiletree.ok("key", "list")["keys"]] == [str(Path("log").absolute())]


def test_a_name_that_is_another_log_s(tiletree: Command) -> None:
    """The log is begun; the key that the user trusts for that name stays, and it is said."""
    other = tiletree.ok("key", "generate", ORIGIN, "--out", "other")["vkey"]
    tiletree.ok("key", "trust", "https://log.example.com", other)
    done = tiletree("init", "log", "--origin", ORIGIN, "--key", "k", "--json")
    assert (done.code, "trust" in done.json) == (0, False)
    assert "the key is not remembered: the log log.example.com is known by the key" in done.json["not_remembered"]
    assert "hint: `tiletree key trust log " in done.err
    assert [each["vkey"] for each in tiletree.ok("key", "list")["keys"]] == [other]


def test_not_to_remember(tiletree: Command) -> None:
    """--no-remember leaves nothing of the log in the user's configuration but its key."""
    done = tiletree("init", "log", "--origin", ORIGIN, "--key", "k", "--no-remember", "--json")
    assert (done.code, "trust" in done.json, "not_remembered" in done.json) == (0, False, False)
    assert not list(Path("home").rglob("trust"))
    assert not list(Path("home").rglob("logs.json"))
    assert tiletree.ok("info", "log")["trust"] == "first use, not pinned"


@pytest.mark.parametrize("anchor", ["beside the key", "named", "remembered nowhere"])
def test_a_copy_of_a_key(tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch, anchor: str) -> None:
    """A second log with a key is refused where the anchor is, or the first log was seen; readers notice any other."""
    assert tiletree.ok("info", "log", "--vkey", log)["size"] == 2
    Path("other").mkdir()
    Path("other/k").write_bytes(Path("k").read_bytes())
    Path("other/k").chmod(0o600)
    if anchor == "beside the key":
        shutil.copytree("k.anchor", "other/k.anchor")
    named = ("--anchor", "k.anchor") if anchor == "named" else ()
    done = tiletree("init", "other/log", "--origin", ORIGIN, "--key", "other/k", *named)
    assert done.code == 4
    assert "has signed before" in done.err
    assert not Path("other/log").exists()
    if anchor != "remembered nowhere":
        return
    with monkeypatch.context() as another_machine:
        another_machine.setenv("XDG_STATE_HOME", str(Path("another").absolute()))
        tiletree.ok("init", "other/log", "--origin", ORIGIN, "--key", "other/k")
    for _ in range(3):
        tiletree.ok("add", "other/log", "--stdin-lines", "--key", "other/k", stdin=b"another history")
    Path("log").rename("first")
    Path("other/log").rename("log")
    assert tiletree("info", "log", "--vkey", log).code == 7


@pytest.fixture
def in_environment(tiletree: Command, monkeypatch: pytest.MonkeyPatch) -> str:
    """Put a key into the environment, and return its vkey; its file is gone."""
    vkey: str = tiletree.ok("key", "generate", ORIGIN, "--out", "k")["vkey"]
    monkeypatch.setenv("TILETREE_PRIVATE_KEY", Path("k").read_text())
    Path("k").unlink()
    return vkey


def test_the_key_in_the_environment_is_the_key_of_the_log(tiletree: Command, in_environment: str) -> None:
    """`init` makes no other key, and leaves none behind; a later call finds the log begun, and others write to it."""
    for _ in range(2):
        assert tiletree.ok("init", "log", "--origin", ORIGIN, "--anchor", "anchor")["vkey"] == in_environment
    assert not list(Path().rglob("*.key"))
    Path("a").write_bytes(b"a")
    assert tiletree.ok("add", "log", "a")["size"] == 1
    assert tiletree.ok("audit", "log", "--vkey", in_environment)["findings"] == []


def test_the_key_in_the_environment_needs_an_anchor(tiletree: Command, in_environment: str) -> None:
    """There is no file beside which the anchor could be: it has to be named, before anything is made."""
    done = tiletree("init", "log", "--origin", ORIGIN)
    assert done.code == 2
    assert "--anchor" in done.err
    assert not Path("log").exists()


def test_a_key_in_the_environment_of_another_log(
    tiletree: Command, in_environment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused as one in a file is, and so is what is no key; a file that is named comes first."""
    assert tiletree("init", "log", "--origin", "other.example.com", "--anchor", "anchor").code == 4
    monkeypatch.setenv("TILETREE_PRIVATE_KEY", "nonsense")
    done = tiletree("init", "log", "--origin", ORIGIN, "--anchor", "anchor")
    assert done.code == 2
    assert "nonsense" not in done.err
    assert not Path("log").exists()
    tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k2")
    assert Path("k2").exists()


def test_every_command_that_writes_takes_the_key_of_the_environment(
    tiletree: Command, in_environment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each works without any key file, and each refuses the key of another log, though its files are remembered."""
    tiletree.ok("init", "log", "--origin", ORIGIN, "--anchor", "anchor")
    other = tiletree.ok("init", "other", "--origin", "other.example.com", "--key", "o")["vkey"]
    Path("a").write_bytes(b"a")
    tiletree.ok("add", "other", "a", "--key", "o")
    ours, theirs = os.environ["TILETREE_PRIVATE_KEY"], Path("o").read_text()
    calls = ("add log a", "sequence log", f"import other log --vkey {other}", "status log", "repair log --head")
    for call in (*calls, "key adopt log --anchor moved", "freeze log --yes --anchor moved"):
        monkeypatch.setenv("TILETREE_PRIVATE_KEY", theirs)
        assert tiletree(*call.split()).code == 4, call
        monkeypatch.setenv("TILETREE_PRIVATE_KEY", ours)
        if "repair" in call:
            Path("log.private/head").unlink()
        tiletree.ok(*call.split())
    assert tiletree.ok("info", "log", "--vkey", in_environment)["size"] == 1
    assert [path.name for path in Path().rglob("*.key")] == []


@pytest.mark.parametrize("option", ["LOG", "--private", "--key", "--anchor"])
@pytest.mark.parametrize("name", ["a\tb", "a\nb", "\x1b[31m", "a\x7f"])
def test_places_that_cannot_be_remembered(tiletree: Command, option: str, name: str) -> None:
    """A path that no file could name is refused at `init`, before anything is made there."""
    words = ["log"] if option != "LOG" else [name]
    done = tiletree("init", *words, "--origin", ORIGIN, *([option, name] if option != "LOG" else []))
    assert done.code == 2, done
    assert "control characters" in done.err
    assert not Path(name).exists()
    assert not Path("log").exists()


@pytest.mark.parametrize(
    ("sign", "options", "what"),
    [
        ("index.html", (), "private part"),
        (".git", (), "private part"),
        (".git", ("--private", "own/private", "--key", "k"), "key"),
        ("index.html", ("--private", "own/private", "--key", "own/key", "--anchor", "anchor"), "anchor"),
    ],
)
def test_private_things_that_would_be_published(
    tiletree: Command, sign: str, options: tuple[str, ...], what: str
) -> None:
    """`init` begins the log, warns of what is in a git checkout or a folder that is served, and says what to do."""
    Path("web").mkdir()
    Path("own").mkdir()
    Path("web", sign).touch()
    options = tuple(f"web/{option}" if option in ("k", "anchor") else option for option in options)
    done = tiletree("init", "web/log", "--origin", ORIGIN, *options, "--json")
    assert done.code == 0, done
    assert [each.partition(",")[0] for each in done.json["exposed"]] == [f"the {what}"]
    assert f"warning: {done.json['exposed'][0]}" in done.err
    assert "--private, --key or --anchor" in done.err


@pytest.mark.parametrize("address", ["https://log.example.com", "https://log.example.com/", "log.example.com/"])
def test_an_address_is_no_name(tiletree: Command, address: str) -> None:
    """An origin that was meant as an address is refused before anything is made: no log can be renamed."""
    done = tiletree("init", "log", "--origin", address, "--key", "k")
    assert done.code == 2
    assert "hint: such as log.example.com;" in done.err
    assert list(Path().iterdir()) == []


def test_what_else_would_be_served(tiletree: Command) -> None:
    """What a folder holds already is served with the log: that is said when it begins, and not again."""
    Path("web/src").mkdir(parents=True)
    Path("web/.hidden").touch()
    call = ("init", "web", "--origin", ORIGIN, "--key", "k")
    assert "warning: web holds other things, which are served with the log: src\n" in tiletree(*call).err
    assert "holds other things" not in tiletree(*call).err


def test_a_key_that_was_there_and_no_anchor(tiletree: Command) -> None:
    """With a copy of the key alone a fork would begin, and nothing can tell: so it is said where no anchor is."""
    tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k")
    assert "a fork of it" not in tiletree("init", "log", "--origin", ORIGIN, "--key", "k").err
    Path("copy").mkdir()
    Path("k").rename("copy/k")
    done = tiletree("init", "again", "--origin", ORIGIN, "--key", "copy/k", "--no-remember")
    assert done.code == 0
    assert f"if there is a log {ORIGIN} with this key anywhere else, this one is a fork of it" in done.err
    assert "docs/lost.md#two-histories-were-seen" in done.err


def test_the_same_log_once_more(tiletree: Command) -> None:
    """Who has seen entries of the log is refused a second one with its key, where the anchor is lost with the rest."""
    tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k")
    Path("f").touch()
    tiletree.ok("add", "log", "f", "--key", "k")
    tiletree.ok("info", "log")
    shutil.rmtree("k.anchor")
    done = tiletree("init", "again", "--origin", ORIGIN, "--key", "k")
    assert done.code == 4
    assert "docs/lost.md#head-and-anchor-are-gone" in done.err
    assert not Path("again").exists()
    tiletree.ok("key", "forget", "log", "--seen")
    assert tiletree("init", "again", "--origin", ORIGIN, "--key", "k").code == 0


def test_begun_before(tiletree: Command) -> None:
    """Whoever has lost the private part is led to the head that can be made again, and to no other place."""
    tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k")
    other = tiletree("init", "log", "--origin", "other.example.com", "--key", "o")
    assert (other.code, "keeps its name" in other.err) == (4, True)
    Path("log.private").rename("elsewhere")
    done = tiletree("init", "log", "--origin", ORIGIN, "--key", "k")
    assert done.code == 4
    assert "docs/lost.md#the-head-is-gone" in done.err
    assert "another place" not in done.err


def test_private_things_that_are_kept_apart(tiletree: Command) -> None:
    """Nothing is said where only the public part is in such a folder."""
    Path("web").mkdir()
    Path("web/index.html").touch()
    assert "exposed" not in tiletree.ok("init", "web/log", "--origin", ORIGIN, "--private", "private", "--key", "k")


@pytest.mark.parametrize(
    ("option", "form"), [("--admission", "docs/admission.md"), ("--policy", "c2sp.org/tlog-policy")]
)
def test_policies_that_are_none(tiletree: Command, option: str, form: str) -> None:
    """A file that is missing, or that is something else, is named, with where its format is said; no log is begun."""
    Path("junk").write_text("secret\n")
    words = ("init", "log", "--origin", ORIGIN, "--key", "k", option)
    missing = tiletree(*words, "missing")
    assert (missing.code, "file or directory\nhint: looked for from " in missing.err) == (2, True)
    assert f"{option} missing cannot be read" in missing.err
    junk = tiletree(*words, "junk")
    assert (junk.code, f"{option} junk: malformed " in junk.err, form in junk.err) == (2, True, True)
    assert "secret" not in junk.err
    assert not Path("log").exists()
    assert not Path("k").exists()
