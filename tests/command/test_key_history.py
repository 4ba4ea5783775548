"""A log that has changed its key: what `trust-root` and `info` say of that, and what is verified by it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.command_line import Command, begin_log
from tests.support.fault_server import serving
from tests.support.rekor_log import artifact_key
from tests.support.sigstore_authority import authority
from tiles.notes.checkpoint import parse_signed_checkpoint, sign_checkpoint
from tiles.notes.keys import parse_vkey
from tiles.signing.artifact_key import write_artifact_key
from tiles.signing.key_file import read_keys
from tiles.sigstore.bundle import parse_bundle
from tiles.sigstore.trusted_root import parse_trusted_root

DAYS = Path("log/checkpoints/days")
TRUSTED = ("--trusted-root", "t/trusted_root.json")
BY = (*TRUSTED, "--key", "s.pub")


def on(day: str) -> None:
    """Let the log have kept its checkpoint, as it is, of a day, and none of today."""
    for path in DAYS.iterdir():
        if path.name > "2026-11":
            path.unlink()
    (DAYS / day).write_bytes(Path("log/checkpoint").read_bytes())


def stamped(name: str, at: datetime) -> None:
    """Put a timestamp into a bundle, as an authority gave it at that time."""
    bundle = parse_bundle(Path(name).read_bytes())
    stamps = (authority().timestamp(bundle.signature, at=at),)
    Path(name).write_bytes(replace(bundle, timestamps=stamps).data)


@pytest.fixture
def rotated(tiletree: Command) -> tuple[str, str]:
    """Return the old and the new key of a log; `old` was signed before the rotation, and `new` after it.

    The old key was the only one on 4 March, both signed on 20 March and 1 May, and on 10 June the new one alone.
    """
    return tiletree.prepared(_rotated)


def _rotated(tiletree: Command) -> tuple[str, str]:
    log = begin_log(tiletree)
    write_artifact_key(Path("s"), artifact_key())
    tsa = (authority().tsa, authority().tsa_root)
    Path("tsa").write_bytes(b"".join(each.certificate.public_bytes(Encoding.PEM) for each in tsa))
    for name in ("old", "new"):
        Path(name).write_bytes(name.encode())
    tiletree.ok("sign", "old", "--log", "log", "--key", "s", "--log-key", "k")
    on("2026-03-04")
    new = tiletree.ok("key", "add", "log", "--key", "k")["vkey"]
    on("2026-03-20")  # of the same size, with both signatures
    tiletree.ok("add", "log", "--stdin-lines", "--key", "k", stdin=b"both")
    on("2026-05-01")
    tiletree.ok("key", "retire", "log", log, "--key", "k")
    tiletree.ok("sign", "new", "--log", "log", "--key", "s", "--log-key", "k")
    on("2026-06-10")
    tiletree.ok("key", "trust", "log", new, "--replace")
    return log, new


def trusted(tiletree: Command, *more: str) -> dict[str, Any]:
    """Write the trusted root to `t`, and return what was said."""
    return tiletree.ok("trust-root", "log", "--out", "t", "--tsa", "tsa", *more)


def test_old_and_new_bundles_by_one_trusted_root(tiletree: Command, rotated: tuple[str, str]) -> None:
    """What was signed before the rotation verifies, with a timestamp of then, and what was signed after it, too.

    What the retired key "signs" later does not, nor what is not shown to be of its time; a newer proof helps that.
    """
    old, new = rotated
    done = trusted(tiletree)
    assert [(key["vkey"], key["start"], key["end"]) for key in done["keys"]] == [
        (old, "2026-03-04T00:00:00Z", "2026-06-10T23:59:59Z"),
        (new, "2026-03-04T00:00:00Z", None),
    ]
    assert [(key["first_size"], key["last_size"], key["statements"]) for key in done["keys"]] == [
        (0, 4, ["keys/1"]),
        (3, None, ["keys/0"]),
    ]
    assert done["keys"][0]["end_by"] == "checkpoints/days/2026-06-10 is of a larger tree than it has signed"
    assert "2026-03-04 is without its signature" in done["keys"][1]["start_by"]
    assert done["vkey"] == new
    root = parse_trusted_root(Path("t/trusted_root.json").read_bytes())
    assert [log.log_id for log in root.logs] == [parse_vkey(key).log_id for key in rotated]
    tiletree.ok("verify", "new", *BY)
    plain = tiletree("verify", "old", *BY)
    assert plain.code == 1
    assert "nothing shows that the entry is of that time" in plain.err
    stamped("old.sigstore.json", datetime(2026, 4, 1, tzinfo=UTC))
    tiletree.ok("verify", "old", *BY)
    stamped("old.sigstore.json", datetime(2026, 6, 11, tzinfo=UTC))
    late = tiletree("verify", "old", *BY)
    assert (late.code, "to 2026-06-10" in late.err) == (1, True), late
    tiletree.ok("staple", "old.sigstore.json", "--log", "log", "--key", "s.pub", "--log-key", "k")
    assert parse_bundle(Path("old.sigstore.json").read_bytes()).entries[0].log_id == parse_vkey(new).log_id
    tiletree.ok("verify", "old", *BY)


def test_a_history_that_the_retired_key_signs_later(tiletree: Command, rotated: tuple[str, str]) -> None:
    """Its thief can make a log of their own, with the file in it: a trusted root that was made since accepts none."""
    trusted(tiletree)
    thief = read_keys(Path("k"))[0]
    bundle = parse_bundle(Path("new.sigstore.json").read_bytes())
    proof = bundle.entries[0].proof
    assert proof is not None
    signed = sign_checkpoint(parse_signed_checkpoint(proof.checkpoint).checkpoint, thief)
    forged = replace(bundle.entries[0], log_id=thief.verifier.log_id, proof=replace(proof, checkpoint=signed.data))
    Path("new.sigstore.json").write_bytes(replace(bundle, entries=(forged,)).data)
    for at in (None, datetime(2026, 11, 1, tzinfo=UTC)):
        if at is not None:
            stamped("new.sigstore.json", at)
        done = tiletree("verify", "new", *BY)
        assert (done.code, "nothing shows that the entry is of that time" in done.err) == (1, True), done


def test_proofs_have_no_time(tiletree: Command, rotated: tuple[str, str]) -> None:
    """One that the old key signed says no more when that was: it is refused, and a newer one is good."""
    trusted(tiletree)
    done = tiletree("verify", "a", "--proof", "p", *TRUSTED)
    assert done.code == 1
    assert "which the trusted root trusts from 2026-03-04 to 2026-06-10" in done.err
    assert "`tiletree prove`" in done.err
    Path("p").unlink()
    tiletree.ok("prove", "log", "--index", 0, "-o", "p")
    tiletree.ok("verify", "a", "--proof", "p", *TRUSTED)


def test_where_no_time_is_known(tiletree: Command, rotated: tuple[str, str]) -> None:
    """Nothing is made up: that the key is retired is known by now, and that is what is written, and said."""
    for name in ("2026-05-01", "2026-06-10"):
        (DAYS / name).unlink()
    before = datetime.now(UTC).replace(microsecond=0)
    old, _ = trusted(tiletree)["keys"]
    assert before <= datetime.fromisoformat(old["end"]) <= datetime.now(UTC)
    assert "keeps no checkpoint of a larger tree" in old["end_by"]
    assert "the time at which this was written" in old["end_by"]
    shown = tiletree.ok("info", "log", "--keys")["keys"]
    assert (shown[0]["start"], shown[0]["end"], shown[1]["start"]) == (None, None, "2026-03-04T00:00:00Z")


def test_only_what_a_pinned_key_has_signed(tiletree: Command, rotated: tuple[str, str]) -> None:
    """A key that only another retired one vouches for is left out, and said; so is one that is there and not pinned."""
    old, new = rotated
    third = tiletree.ok("key", "add", "log", "--key", "k")["vkey"]
    done = trusted(tiletree, "--vkey", new)
    assert [key["vkey"] for key in done["keys"]] == [old, new]
    assert done["left_out"] == [third]
    tiletree.ok("key", "retire", "log", new, "--key", "k")
    done = trusted(tiletree, "--vkey", third)
    assert [key["vkey"] for key in done["keys"]] == [new, third]
    assert done["left_out"] == [old]
    found = tiletree.ok("info", "log", "--keys", "--vkey", third)
    assert "key_changes" not in found  # the checkpoint has the retired key's signature still, which is no news
    shown = found["keys"]
    assert [(key["vkey"], key["vouched"]) for key in shown] == [(old, False), (new, True), (third, True)]
    Path("both").write_text(f"log {new}\nlog {third}\nquorum none\n")
    assert [key["vkey"] for key in trusted(tiletree, "--policy", "both")["keys"]] == [old, new, third]


def test_over_http_and_in_words(tiletree: Command, rotated: tuple[str, str]) -> None:
    """Days are asked for one by one where nothing lists them; text says what the document says."""
    objects = {
        path.relative_to("log").as_posix(): path.read_bytes() for path in Path("log").rglob("*") if path.is_file()
    }
    here = tiletree.ok("info", "log", "--keys")["keys"]
    with serving(objects) as server:
        there = tiletree.ok("info", server.url, "--keys", "--vkey", rotated[1])["keys"]
    assert there == here
    text = tiletree("info", "log", "--keys").out
    assert "from size 0, to size 4, the last that it signed, by keys/1" in text
    assert "not after 2026-06-10T23:59:59Z: checkpoints/days/2026-06-10" in text
    assert "from size 3, still in use, by keys/0" in text


def test_a_statement_of_another_tree(tiletree: Command, rotated: tuple[str, str]) -> None:
    """It is signed, and not of this log's history: nothing is taken from it."""
    tiletree.ok("init", "other", "--origin", "log.example.com", "--key", "k2", "--anchor", "anchor")
    statement = Path("log/keys/1").read_text()
    assert "\n4\n" in statement
    from tiles.notes.key_change import read_key_change, sign_key_change

    change, _ = read_key_change(statement.encode())
    keys = read_keys(Path("k"))
    wrong = replace(change, tree=replace(change.tree, size=3))
    Path("log/keys/1").chmod(0o644)
    Path("log/keys/1").write_bytes(sign_key_change(wrong, keys).data)
    for call in (("info", "log", "--keys"), ("trust-root", "log", "--out", "t")):
        done = tiletree(*call)
        assert (done.code, "keys/1 says size 3" in done.err) == (1, True), done


def test_how_a_log_was_on_a_day_of_the_old_key(tiletree: Command, rotated: tuple[str, str]) -> None:
    """What was kept under the old key counts to who knows the new one, and is not called wrong."""
    found = tiletree.ok("info", "log", "--at", "2026-03-10")
    assert found["at"]["by"]["size"] == 3
    assert found["at"]["by"]["vkey"] == rotated[0]
    assert "not_kept" not in found
