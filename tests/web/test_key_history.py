"""How the keys of a log changed, on the page: shown as the log states it, never believed, pinned when asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.browser import Chromium, Site, check_accessible, site
from tests.support.command_line import ORIGIN, Command
from tests.support.key_statements import THIEF as THIEF_TOO
from tests.support.key_statements import A, B, statement
from tests.support.readers import make_log
from tests.support.signed_text import key, sign
from tiles.notes.checkpoint import parse_signed_checkpoint, with_signatures
from tiles.notes.key_change import ADD, RETIRE, KeyChange, sign_key_change
from tiles.notes.keys import parse_skey
from tiles.notes.note import Signature

pytest_plugins = ["tests.support.browser_fixture"]

Objects = dict[str, bytes]
THIEF = key(ORIGIN, 66)


def objects_of(folder: str = "log") -> Objects:
    """Return the public objects of a log."""
    root = Path(folder)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def rotated(tiletree: Command) -> tuple[list[Objects], str, str]:
    """Return a log before its key was rotated, with both keys, and after; and the vkeys."""
    Path("a").write_bytes(b"content")
    old = tiletree.ok("init", "log", "--origin", ORIGIN, "--key", "k")["vkey"]
    tiletree.ok("add", "log", "a", "--key", "k")
    logs = [objects_of()]
    new = tiletree.ok("key", "add", "log", "--key", "k")["vkey"]
    Path("b").write_bytes(b"more")
    tiletree.ok("add", "log", "b", "--key", "k")
    logs.append(objects_of())
    tiletree.ok("key", "retire", "log", old, "--key", "k")
    Path("c").write_bytes(b"even more")
    tiletree.ok("add", "log", "c", "--key", "k")
    return [*logs, objects_of()], old, new


def remembered(one: Site) -> list[str]:
    """Return the keys that this browser remembers."""
    found = one.page.evaluate("Object.entries(localStorage).find(([id]) => id.startsWith('tlog:keys '))[1]")
    return str(found).split("\n")


@pytest.mark.slow
def test_a_rotation_as_visitors_see_it(chromium: Chromium, tiletree: Command) -> None:
    """While both keys sign, the new one is named, not trusted; once it signs alone, a visitor has to pin it."""
    (before, both, after), old, new = rotated(tiletree)
    with site(chromium, before, faults=True) as one:  # there is no statement yet
        one.open()
        assert remembered(one) == [old]
        one.become(both)
        one.reload()
        state, _, words = one.said("#head")
        assert state == "verified-log-only"
        assert "which this page does not trust. The log states, as a trusted key leads to it:" in words
        assert f"Added at 1 entries: {new}. Signed by {'+'.join(old.split('+')[:2])}, in keys/0." in words
        assert "Whoever has stolen a key could have written this." in words
        assert remembered(one) == [old]
        check_accessible(one.page)
        one.page.click("#keys > summary")
        one.page.wait_for_selector("#keys [data-keys=history]")
        check_accessible(one.page)
        one.become(after)
        one.reload()
        state, _, words = one.said("#head")
        assert state == "key-changed"
        assert f"Retired at 2 entries, the last that it signed: {old}." in words
        check_accessible(one.page)
        one.page.focus("#head button:has-text('Pin the new key')")
        one.page.keyboard.press("Enter")
        one.page.wait_for_selector("#head [data-state=verified-log-only]")
        assert remembered(one) == [new]
        assert "It extends what you saw" in one.said("#head")[2]


@pytest.mark.slow
def test_pinned_while_both_sign(chromium: Chromium, tiletree: Command) -> None:
    """Both are trusted then, and the old one no more once it is retired; the history goes on."""
    (before, both, after), old, new = rotated(tiletree)
    with site(chromium, before, faults=True) as one:
        one.open()
        one.become(both)
        one.reload()
        one.page.click("#head button:has-text('Pin the new key')")
        one.page.wait_for_selector("#head .card:not(:has([data-keys]))")
        assert remembered(one) == [old, new]
        one.become(after)
        one.reload()
        assert "It extends what you saw" in one.said("#head")[2]


@pytest.mark.slow
def test_a_link_with_a_key_that_was_retired(chromium: Chromium, tiletree: Command) -> None:
    """The refusal says what the log states, and offers the new key."""
    logs, old, new = rotated(tiletree)
    with site(chromium, logs[0], faults=True) as one:
        one.open()
        one.become({**logs[2]})
        one.open(f"#vkey={old}")
        one.reload()
        state, _, words = one.said("#head")
        assert (state, new in words, "Pin the new key" in words) == ("signature", True, True)


@pytest.mark.slow
def test_what_is_not_shown_and_not_pinned(chromium: Chromium, tiletree: Command) -> None:
    """A stranger's statement is none; and a new key that signs another history is not pinned: the fork is shown."""
    (before, both, after), old, _ = rotated(tiletree)
    said = KeyChange(
        0, ADD, THIEF.verifier, parse_signed_checkpoint(both["checkpoint"]).tree, (parse_skey(old_key()).verifier,)
    )
    forged = sign_key_change(said, [THIEF]).data
    signed = parse_signed_checkpoint(both["checkpoint"])
    line = Signature(THIEF.name, THIEF.verifier.key_id, THIEF.sign(signed.note.text))
    stranger = with_signatures(signed.checkpoint, [*signed.note.signatures[:1], line]).data
    with site(chromium, before, faults=True) as one:
        one.open()
        one.become({**before, "checkpoint": stranger, **tiles_of(both), "keys/0": forged})
        one.reload()
        words = one.said("#head")[2]
        assert "No statement of the log by a trusted key says whose that is." in words
        assert "Pin the new key" not in words
        new = parse_skey(Path("k").read_text().split("\n")[1])
        other = make_log(5, key=new, tag="other")
        one.become({**after, **other})
        one.reload()
        assert one.said("#head")[0] == "key-changed"
        one.page.click("#head button:has-text('Pin the new key')")
        assert one.said()[0] == "fork"
        assert remembered(one) == [old]


def tiles_of(objects: Objects) -> Objects:
    """Return the tiles."""
    return {path: data for path, data in objects.items() if path.startswith("tile/")}


def old_key() -> str:
    """Return the old key."""
    return Path("k").read_text().split("\n")[0]


def test_a_new_key_that_was_retired_again(chromium: Chromium) -> None:
    """It is not offered: nothing is pinned that the log itself has given up."""
    log = make_log(5, key=A)
    policy = f"log {A.verifier.vkey}\nquorum none\n".encode()
    with site(chromium, {**log, "policy.txt": policy}, faults=True) as one:
        one.open()
        other = f"log {THIEF_TOO.verifier.vkey}\nquorum none\n".encode()
        added = statement(0, ADD, B, A, by=[A, B])
        retired = statement(1, RETIRE, B, A, B, by=[A, B])
        changed = {**make_log(5, key=THIEF_TOO), "policy.txt": other, "keys/0": added}
        one.become(changed)
        one.reload()
        assert f"Pin the new key, {B.verifier}" in one.said("#head", "key-changed")[2]
        one.become({**changed, "keys/1": retired})
        one.reload()
        assert "Pin" not in one.said("#head", "key-changed")[2]


def test_a_link_does_not_pin(chromium: Chromium) -> None:
    """Statements by a key that only a link names are not shown: its maker could have what is remembered forgotten."""
    policy = f"log {A.verifier.vkey}\nquorum none\n".encode()
    with site(chromium, {**make_log(5, key=A), "policy.txt": policy}, faults=True) as one:
        one.open()
        tree = parse_signed_checkpoint(make_log(5, key=A)["checkpoint"])
        lines = [sign(tree.checkpoint, by) for by in (THIEF_TOO, B)]
        forged = with_signatures(tree.checkpoint, lines).data
        said = statement(0, ADD, B, THIEF_TOO, by=[THIEF_TOO, B])
        one.become({**make_log(5, key=A), "policy.txt": policy, "checkpoint": forged, "keys/0": said})
        one.open(f"#vkey={THIEF_TOO.verifier.vkey}")
        one.page.click("#head button:has-text('all the same')")
        one.page.wait_for_selector("#head .card:not(:has(button:has-text('all the same')))")
        assert "Pin" not in one.said("#head")[2]
        one.page.click("#keys > summary")
        one.page.wait_for_selector("#keys [data-keys=none]")
        assert remembered(one) == [A.verifier.vkey]


@pytest.mark.slow
def test_the_newest_key_is_pinned_and_an_older_one_signs(chromium: Chromium) -> None:
    """The log's statements are shown, and nothing is offered: the older key is no news."""
    policy = f"log {B.verifier.vkey}\nquorum none\n".encode()
    signed = parse_signed_checkpoint(make_log(5, key=A)["checkpoint"]).checkpoint
    both = with_signatures(signed, [sign(signed, by) for by in (A, B)]).data
    added = statement(0, ADD, B, A, by=[A, B])
    objects = {**make_log(5, key=A), "policy.txt": policy, "checkpoint": both, "keys/0": added}
    with site(chromium, objects, faults=True) as one:  # there is no second statement
        one.open()
        one.reload()
        words = one.said("#head")[2]
        assert "The log states, as a trusted key leads to it:" in words
        assert "Pin" not in words
