"""Commands of a log that needs witnesses: codes 5 and 6, `refresh`, and proofs that verify offline by the policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import Command
from tests.support.witnesses import Served, Witness, away, serving, witness_key, witness_policy
from tiles.notes.keys import parse_vkey

ORIGIN = "cosigned.example.com"


@pytest.fixture
def served(tiletree: Command) -> Iterator[Served]:
    """Three witnesses of the log of key `k`, whose `policy` takes two."""
    vkey = tiletree.ok("key", "generate", ORIGIN, "--out", "k")["vkey"]
    witnesses = [Witness(witness_key(n), [parse_vkey(vkey)]) for n in range(3)]
    with serving(witnesses) as server:
        urls = {server.url(n): each for n, each in enumerate(witnesses)}
        Path("policy").write_bytes(witness_policy(parse_vkey(vkey), urls, 2).data)
        Path("a").write_bytes(b"a")
        Path("b").write_bytes(b"b")
        yield server


INIT = ("init", "log", "--origin", ORIGIN, "--key", "k", "--policy", "policy")


def test_a_cosigned_log_is_begun_grows_and_is_verified_offline(tiletree: Command, served: Served) -> None:
    """The proof has the whole note: `verify --policy` takes it, and says who cosigned."""
    tiletree.ok(*INIT)
    tiletree.ok("add", "log", "a", "--key", "k", "--wait-extra", "5")
    tiletree.ok("prove", "log", "--index", "0", "-o", "p", "--policy", "policy")
    found = tiletree.ok("verify", "a", "--proof", "p", "--policy", "policy")
    assert len(found["cosigned_by"]) == 3
    assert all(each.asked for each in served.witnesses)


def test_below_the_quorum(tiletree: Command, served: Served) -> None:
    """Exit 5, with who is missing; --fail-open: exit 6, with the same; refresh: exit 0, and the policy is met."""
    tiletree.ok(*INIT)
    served.witnesses[0].lie = served.witnesses[1].lie = away
    served.instead = {n: lambda handler: handler.send_error(503) for n in (0, 1)}
    done = tiletree("add", "log", "a", "--key", "k", "--json")
    assert done.code == 5, done
    assert (done.json["committed"], done.json["published"]) == (True, False)
    assert done.json["missing"] == [{"witness": f"w{n}", "why": "it answers 503"} for n in (0, 1)]
    assert done.json["cosigned_by"] == ["w2"]
    assert "w0: it answers 503; w1: it answers 503" in done.err
    other = tiletree("add", "log", "b", "--key", "k", "--json")
    assert (other.code, other.json["error"]["kind"]) == (3, "BelowQuorum")
    done = tiletree("sequence", "log", "--key", "k", "--fail-open", "--json")
    assert done.code == 6, done
    assert done.json["missing"][1] == {"witness": "w1", "why": "it answers 503"}
    assert tiletree("info", "log", "--policy", "policy").code == 1
    assert tiletree("refresh", "log", "--key", "k").code == 6
    served.witnesses[0].lie = served.witnesses[1].lie = None
    served.instead = {}
    refreshed = tiletree.ok("refresh", "log", "--key", "k")
    assert refreshed["cosigned_by"] == ["w0", "w1", "w2"]
    assert refreshed["missing"] == []
    assert len(tiletree.ok("info", "log", "--policy", "policy")["cosigned_by"]) == 3


def test_init_below_the_quorum_is_finished_by_the_same_call(tiletree: Command, served: Served) -> None:
    """The log is begun, and not published; the same call publishes it."""
    served.instead = {n: lambda handler: handler.send_error(404) for n in range(3)}
    done = tiletree(*INIT, "--witness-timeout", "5")
    assert done.code == 5, done
    served.instead = {}
    assert tiletree.ok(*INIT)["size"] == 0


def test_refresh_without_witnesses(tiletree: Command, log: str) -> None:
    """A log whose policy has none: nothing to ask, and it says so by an empty list."""
    assert log
    assert tiletree.ok("refresh", "log", "--key", "k")["cosigned_by"] == []
