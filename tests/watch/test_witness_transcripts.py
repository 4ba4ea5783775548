"""What witnesses of others answered to our requests, as it was recorded, and what ours answers to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import Command
from tests.support.signed_text import MLDSA44, W1
from tests.support.witness_requests import FOLDER, recorded, requests
from tests.support.witnessing import OURS, Evidence, Time, witness
from tiles.notes.cosignature import verify_cosignature
from tiles.notes.keys import SignatureType, parse_vkey
from tiles.notes.policy import parse_policy
from tiles.notes.witness_messages import ADD_CHECKPOINT, SIZE_TYPE, parse_add_checkpoint, parse_signatures, parse_size
from tiles.store.memory import MemoryStore
from tiles.watch.witness_config import WitnessConfig
from tiles.watch.witness_http import WitnessDesk

COSIGNATURE = SignatureType.COSIGNATURE

RECORDED = sorted(FOLDER.glob("*.json"))

# what omniwitness answers otherwise than tlog-witness says: 500 in the place of 404 and 403; and where it has cosigned
# nothing, it takes any old size for the right one, so that it is further on when the same tree is sent as the first
DEPARTS = {
    "aics-witness": {},
    "litewitness": {},
    "omniwitness": {
        "another origin": (500, 404),
        "an old size where nothing was cosigned": (200, 409),
        "the first": (409, 200),
        "no signature": (500, 403),
        "a wrong signature": (500, 403),
    },
}


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_we_read_what_they_answered(path: Path) -> None:
    """Their cosignatures verify, and their sizes are read."""
    vkeys, answers = recorded(path)
    asked = dict(requests())
    assert [answer.name for answer in answers] == list(asked)
    sizes = []
    for answer in answers:
        if answer.status == 200:
            checkpoint = parse_add_checkpoint(asked[answer.name]).signed.checkpoint
            for line, vkey in zip(parse_signatures(answer.body.encode()), vkeys, strict=True):
                verify_cosignature(checkpoint, line, parse_vkey(vkey))
        if answer.status == 409:
            assert answer.type == SIZE_TYPE
            sizes.append(parse_size(answer.body.encode()))
    assert sizes == ([50, 50, 50] if path.stem == "omniwitness" else [0, 50, 50])


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_ours_answers_the_same(path: Path) -> None:
    """Each request gets the same status, and the same size in the same words, but where theirs departs."""
    ours = witness(MemoryStore(), Time(), visits=Evidence())
    ours.begin(OURS)
    desk = WitnessDesk(ours, WitnessConfig("state", ("key",), (OURS,)), lambda _: None)
    departs: dict[str, tuple[int, int]] = {}
    for (name, body), theirs in zip(requests(), recorded(path)[1], strict=True):
        reply = desk.respond("POST", f"/{ADD_CHECKPOINT}", body)
        if reply.status != theirs.status:
            departs[name] = (theirs.status, reply.status)
        if reply.status == 200:
            assert [line.name for line in parse_signatures(reply.body)] == [W1.name]
        if reply.status == theirs.status == 409:
            assert (reply.body.decode(), dict(reply.headers)["Content-Type"]) == (theirs.body, theirs.type)
    assert departs == DEPARTS[path.stem]


def test_what_was_recorded() -> None:
    """Of each kind of witness that was asked."""
    assert [path.stem for path in RECORDED] == list(DEPARTS)


# ---- a log that three kinds of witnesses have cosigned: litewitness, aics-witness, and ours in a bucket

QUORUM = FOLDER / "quorum"


def test_a_quorum_of_three_kinds(tiletree: Command) -> None:
    """What was published then verifies offline; without the lines of two of them, it is said whose are missing."""
    verify = ("verify", QUORUM / "file", "--policy", QUORUM / "policy", "--proof")
    verified = tiletree.ok(*verify, QUORUM / "file.tlog-proof")
    assert [name.split(".")[0] for name in verified["cosigned_by"]] == ["litewitness", "aics", "own"]
    policy = parse_policy((QUORUM / "policy").read_bytes())
    assert [each.key.type for each in policy.witnesses] == [COSIGNATURE, COSIGNATURE, MLDSA44]
    proof = (QUORUM / "file.tlog-proof").read_bytes().splitlines(keepends=True)
    for missing, code in ((("litewitness",), 0), (("litewitness", "own"), 1), (("aics", "own"), 1)):
        kept = [line for line in proof if not line.startswith(tuple(f"\u2014 {name}".encode() for name in missing))]
        assert len(kept) == len(proof) - len(missing)
        Path("proof").write_bytes(b"".join(kept))
        done = tiletree(*verify, "proof")
        assert done.code == code, done
        said = ", ".join(each.removesuffix("witness") for each in missing)  # their names in the policy
        assert code == 0 or f"missing {said}" in done.err, done
