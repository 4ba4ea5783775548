"""What witnesses of others answered to our requests, as it was recorded, and what ours answers to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.signed_text import W1
from tests.support.witness_requests import FOLDER, recorded, requests
from tests.support.witnessing import OURS, Evidence, Time, witness
from tiles.notes.cosignature import verify_cosignature
from tiles.notes.keys import parse_vkey
from tiles.notes.witness_messages import ADD_CHECKPOINT, SIZE_TYPE, parse_add_checkpoint, parse_signatures, parse_size
from tiles.store.memory import MemoryStore
from tiles.watch.witness_config import WitnessConfig
from tiles.watch.witness_http import WitnessDesk

RECORDED = sorted(FOLDER.glob("*.json"))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_we_read_what_they_answered(path: Path) -> None:
    """Their cosignatures verify, and their sizes are read."""
    vkey, answers = recorded(path)
    key = parse_vkey(vkey)
    asked = dict(requests())
    assert [answer.name for answer in answers] == list(asked)
    sizes = []
    for answer in answers:
        if answer.status == 200:
            (line,) = parse_signatures(answer.body.encode())
            verify_cosignature(parse_add_checkpoint(asked[answer.name]).signed.checkpoint, line, key)
        if answer.status == 409:
            assert answer.type == SIZE_TYPE
            sizes.append(parse_size(answer.body.encode()))
    assert sizes == [0, 50, 50]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_ours_answers_the_same(path: Path) -> None:
    """Each request gets the same status, and the same size in the same words."""
    ours = witness(MemoryStore(), Time(), visits=Evidence())
    ours.begin(OURS)
    desk = WitnessDesk(ours, WitnessConfig("state", ("key",), (OURS,)), lambda _: None)
    for (name, body), theirs in zip(requests(), recorded(path)[1], strict=True):
        reply = desk.respond("POST", f"/{ADD_CHECKPOINT}", body)
        assert reply.status == theirs.status, name
        if reply.status == 200:
            assert [line.name for line in parse_signatures(reply.body)] == [W1.name]
        if reply.status == 409:
            assert (reply.body.decode(), dict(reply.headers)["Content-Type"]) == (theirs.body, theirs.type)


def test_there_are_two() -> None:
    """Both were recorded."""
    assert [path.stem for path in RECORDED] == ["aics-witness", "litewitness"]
