"""Requests to a witness, one after the other, as ours and those of others are sent them; and how they are recorded."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.readers import OTHER_KEY
from tests.support.signed_text import LOG, VECTORS, forged, key, sign, signed
from tests.support.witnessing import at, proof
from tiles.notes.checkpoint import Checkpoint, with_signatures
from tiles.notes.cosignature import verify_cosignature
from tiles.notes.keys import parse_vkey
from tiles.notes.witness_messages import ADD_CHECKPOINT, AddCheckpoint, parse_add_checkpoint, parse_signatures

FOLDER = VECTORS / "witnesses"
RECORD = "TILETREE_RECORD_WITNESSES"  # set it to record anew


@dataclass(frozen=True)
class Answered:
    """What a witness answered to a request of that name."""

    name: str
    status: int
    type: str
    body: str


def requests() -> Iterator[tuple[str, bytes]]:
    """Yield requests by their names, for a witness that has cosigned nothing of the log."""

    def ask(old: int, new: int, tag: str = "entry") -> bytes:
        return AddCheckpoint(old, proof(old, new, tag), at(new, tag)).data

    other = signed(Checkpoint("other.example.com", at(5).tree), key("other.example.com", 8))
    right = sign(at(60).checkpoint, LOG)
    yield "another origin", AddCheckpoint(0, (), other).data
    yield "an old size where nothing was cosigned", ask(3, 50)
    yield "the first", ask(0, 50)
    yield "the first again", ask(0, 50)
    yield "the same tree", ask(50, 50)
    yield "an old size that is too small", ask(40, 60)
    yield "an old size above the checkpoint's", AddCheckpoint(50, (), at(40)).data
    yield "no signature", AddCheckpoint(50, proof(50, 60), signed(at(60).checkpoint, OTHER_KEY)).data
    yield (
        "a wrong signature",
        AddCheckpoint(50, proof(50, 60), with_signatures(at(60).checkpoint, [forged(right)])).data,
    )
    yield "a wrong proof", AddCheckpoint(50, proof(50, 61), at(60)).data
    yield "no proof", AddCheckpoint(50, (), at(60)).data
    yield "growth", ask(50, 200)
    yield "another root of the same size", ask(200, 200, "other")
    yield "what is no request", b"old 200\n"
    unknown = signed(at(300).checkpoint, OTHER_KEY, LOG)
    yield "growth with unknown signatures", AddCheckpoint(200, proof(200, 300), unknown).data


def asked(host: str, port: int) -> list[Answered]:
    """Send all requests to a server, on one connection if it keeps it, and return what it answered."""
    found = []
    connection = http.client.HTTPConnection(host, port, timeout=20)
    for name, body in requests():
        connection.request("POST", f"/{ADD_CHECKPOINT}", body)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        found.append(Answered(name, answer.status, answer.getheader("Content-Type") or "", text))
    connection.close()
    return found


def write(path: Path, vkeys: list[str], answers: list[Answered]) -> None:
    """Record what a witness of these keys has answered."""
    document = {"vkeys": vkeys, "answers": [vars_of(answer) for answer in answers]}
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def vars_of(answer: Answered) -> dict[str, object]:
    """Return an answer as it is recorded."""
    return {"name": answer.name, "status": answer.status, "type": answer.type, "body": answer.body}


def recorded(path: Path) -> tuple[list[str], list[Answered]]:
    """Return the keys of a witness, and what it has answered."""
    document = json.loads(path.read_text(encoding="utf-8"))
    return document["vkeys"], [Answered(**answer) for answer in document["answers"]]


def check(name: str, vkeys: list[str], port: int) -> None:
    """Require that the witness at a port answers as it did, and that its cosignatures are right."""
    answers = asked("127.0.0.1", port)
    if os.environ.get(RECORD):
        write(FOLDER / f"{name}.json", vkeys, answers)
    _, before = recorded(FOLDER / f"{name}.json")
    assert [(each.name, each.status, each.type) for each in answers] == [
        (each.name, each.status, each.type) for each in before
    ]
    sent = dict(requests())
    for each in answers:
        if each.status == 200:
            checkpoint = parse_add_checkpoint(sent[each.name]).signed.checkpoint
            for line, vkey in zip(parse_signatures(each.body.encode()), vkeys, strict=True):
                assert verify_cosignature(checkpoint, line, parse_vkey(vkey)).timestamp
