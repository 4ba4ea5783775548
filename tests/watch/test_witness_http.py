"""What a witness answers: each MUST of tlog-witness that binds a witness, by its status code, and the order of them."""

from __future__ import annotations

import pytest

from tests.support.faults import Fault, Faults
from tests.support.readers import OTHER_KEY
from tests.support.signed_text import LOG, MLDSA44, ORIGIN, W1, W2, W3, forged, key, sign, signed
from tests.support.witness_texts import ANSWER, REQUEST, SUBTREE_REQUEST
from tests.support.witnessing import (
    NOW,
    OURS,
    Evidence,
    Kept,
    Time,
    at,
    check_row,
    history,
    proof,
    witness,
)
from tiles.errors import TilesError
from tiles.notes.checkpoint import Checkpoint, parse_signed_checkpoint, with_signatures
from tiles.notes.cosignature import verify_cosignature
from tiles.notes.encoding import encode_base64
from tiles.notes.fork_evidence import check_fork
from tiles.notes.keys import SigningKey
from tiles.notes.policy import policy_of
from tiles.notes.witness_messages import (
    ADD_CHECKPOINT,
    MAX_REQUEST_SIZE,
    SIZE_TYPE,
    AddCheckpoint,
    parse_signatures,
    seen_path,
)
from tiles.store import Store
from tiles.store.memory import MemoryStore
from tiles.tree.merkle import EMPTY_ROOT, Hash
from tiles.watch.witness import WitnessedLog
from tiles.watch.witness_config import WitnessConfig, witnessed
from tiles.watch.witness_http import Reply, WitnessDesk

POST = f"/{ADD_CHECKPOINT}"
SEEN = f"/{seen_path(ORIGIN)}"
SPEC = "example.com/behind-the-sofa"


class Desk:
    """A witness that answers, and all that it told its operator."""

    def __init__(
        self, *logs: WitnessedLog, keys: tuple[SigningKey, ...] = (W1,), store: Store | None = None, begin: bool = True
    ) -> None:
        logs = logs or (OURS,)
        self.store = Kept(store or MemoryStore())
        self.evidence = Evidence()
        self.time = Time()
        self.keys = keys
        self.told: list[TilesError] = []
        ours = witness(self.store, self.time, keys, self.evidence)
        if begin:
            for log in logs:
                ours.begin(log)
        self.desk = WitnessDesk(ours, WitnessConfig("state", ("key",), logs), self.told.append)

    def add(self, old: int, new: int, tag: str = "entry", hashes: tuple[Hash, ...] | None = None) -> Reply:
        """Ask for a cosignature, with the right proof unless another is given."""
        return self.post(AddCheckpoint(old, proof(old, new, tag) if hashes is None else hashes, at(new, tag)).data)

    def post(self, body: bytes) -> Reply:
        """Return the reply to a request."""
        return self.desk.respond("POST", POST, body)

    def get(self, path: str = SEEN) -> Reply:
        """Return the reply to a reader."""
        return self.desk.respond("GET", path, b"")

    def refuses(self, status: int, body: bytes) -> Reply:
        """Require a status, and that nothing was cosigned."""
        before = list(self.store.contents)
        reply = self.post(body)
        assert reply.status == status, reply
        assert self.store.contents == before
        return reply


@pytest.fixture
def desk() -> Desk:
    """Return a witness that has cosigned a tree of 50 entries."""
    desk = Desk()
    assert desk.add(0, 50).status == 200
    return desk


def request(old: int, new: int, hashes: tuple[Hash, ...] | None = None, tag: str = "entry") -> bytes:
    """Return a request."""
    return AddCheckpoint(old, proof(old, new, tag) if hashes is None else hashes, at(new, tag)).data


# ---- add-checkpoint: 200


@pytest.mark.parametrize("keys", [(W1,), (W2,), (W1, W2)], ids=["Ed25519", "ML-DSA-44", "both"])
def test_200_cosignature_lines(keys: tuple[SigningKey, ...]) -> None:
    """ "The response body MUST be a sequence of one or more note signature lines … from the witness key(s)"."""
    desk = Desk(keys=keys)
    for old, new in [(0, 0), (0, 5), (5, 200), (200, 200)]:
        reply = desk.add(old, new)
        assert reply.status == 200
        lines = parse_signatures(reply.body)
        assert len(lines) == len(keys)
        for line, by in zip(lines, keys, strict=True):
            assert verify_cosignature(at(new).checkpoint, line, by.verifier).timestamp == NOW
        # "The witness MUST persist the new checkpoint before responding"
        assert parse_signed_checkpoint(desk.get().body).note.signatures[1:] == lines


def test_several_signatures_in_a_request(desk: Desk) -> None:
    """ "The submitted checkpoint MAY include multiple signatures", and "MUST ignore signatures from unknown keys"."""
    shown = signed(at(60).checkpoint, W3, OTHER_KEY, LOG, key("x.example.com", 1))
    assert desk.post(AddCheckpoint(50, proof(50, 60), shown).data).status == 200


def test_either_key_of_a_log(desk: Desk) -> None:
    """ "against the public key(s) it trusts for the checkpoint origin", of any type that a log may have."""
    post_quantum = key(ORIGIN, 9, MLDSA44)
    both = WitnessedLog(ORIGIN, policy_of([LOG.verifier, post_quantum.verifier]))
    desk = Desk(both)
    for old, new, by in [(0, 5, post_quantum), (5, 60, LOG), (60, 70, post_quantum)]:
        shown = signed(at(new).checkpoint, by)
        assert desk.post(AddCheckpoint(old, proof(old, new), shown).data).status == 200


def test_the_examples_of_the_specification() -> None:
    """The request is read: its origin is asked about first, and is unknown here; with the origin known, its keys are
    not ours, so no signature is. The answer is what a client reads."""
    Desk().refuses(404, REQUEST.encode())
    Desk(witnessed(key(SPEC, 7).verifier)).refuses(403, REQUEST.encode())
    assert len(parse_signatures(ANSWER.encode())) == 3


def test_404_the_optional_call() -> None:
    """ "It is OPTIONAL for a witness to support this API": its example is no call here, and no request of the other."""
    desk, body = Desk(witnessed(key(SPEC, 7).verifier)), SUBTREE_REQUEST.encode()
    taken = desk.desk.check("POST", "/sign-subtree", {"Content-Length": str(len(body))}.get)
    assert isinstance(taken, Reply)
    assert taken.status == 404
    desk.refuses(400, body)


# ---- add-checkpoint: what is refused


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n",
        b"old 0\n\n",
        request(50, 60).replace(b"old 50", b"old 050"),
        request(50, 60).replace(b"old 50\n", b""),
        request(50, 60).replace(b"\n", b"\r\n"),
        request(50, 60)[:-1],
        request(50, 60) + b"x\n",
        request(50, 60).replace(b"\n60\n", b"\n060\n"),
        request(50, 60).replace(b"old 50\n", b"old 50\nAAAA\n"),
        b"old 50\n" + (encode_base64(bytes(32)).encode() + b"\n") * 64 + request(50, 60)[7:],
        b"\xff" * 100,
        b"x" * (MAX_REQUEST_SIZE + 1),
        request(0, 0).replace(encode_base64(EMPTY_ROOT).encode(), b"AAAA"),
    ],
)
def test_400_what_is_malformed(desk: Desk, body: bytes) -> None:
    """ "The request body MUST be a sequence of …": what is not, is a bad request."""
    desk.refuses(400, body)


def test_404_an_unknown_origin(desk: Desk) -> None:
    """ "If the checkpoint origin is unknown, the witness MUST respond with a 404", whoever has signed it."""
    other = Checkpoint("other.example.com", at(60).tree)
    for by in (LOG, key("other.example.com", 1)):
        desk.refuses(404, AddCheckpoint(0, (), signed(other, by)).data)


def test_403_no_signature_by_a_trusted_key(desk: Desk) -> None:
    """ "if either no signature from a trusted key for the origin is present"."""
    for by in (OTHER_KEY, W1, key("other.example.com", 1)):
        desk.refuses(403, AddCheckpoint(50, proof(50, 60), signed(at(60).checkpoint, by)).data)


def test_403_a_wrong_signature_beside_a_right_one(desk: Desk) -> None:
    """ "or a signature line's key name and ID match a trusted key but the signature itself fails to verify"."""
    right = sign(at(60).checkpoint, LOG)
    for lines in ([forged(right)], [right, forged(right)], [forged(right), right]):
        shown = with_signatures(at(60).checkpoint, lines)
        desk.refuses(403, AddCheckpoint(50, proof(50, 60), shown).data)


def test_400_an_old_size_above_the_checkpoints(desk: Desk) -> None:
    """ "The old size MUST be equal to or lower than the checkpoint size. … 400", even if it is the right one."""
    desk.refuses(400, request(50, 40, ()))
    desk.refuses(400, request(61, 60, ()))


@pytest.mark.parametrize(("old", "new"), [(0, 60), (49, 60), (51, 60), (0, 0), (40, 40), (60, 60)])
def test_409_another_old_size(desk: Desk, old: int, new: int) -> None:
    """ "MUST check that the old size matches …": the size that is, in a line, of the type that is asked for."""
    reply = desk.refuses(409, request(old, new))
    assert reply.body == b"50\n"
    assert reply.headers == (("Content-Type", SIZE_TYPE),)


def test_409_where_nothing_was_cosigned() -> None:
    """ "(or zero if it never cosigned a checkpoint for that origin)"."""
    assert Desk().refuses(409, request(5, 60)).body == b"0\n"


@pytest.mark.parametrize("root", [bytes(32), b"\xff" * 32])
def test_422_the_empty_tree_with_another_root(root: bytes) -> None:
    """ "A checkpoint of size zero MUST have the root hash of the empty tree … Otherwise … 422"."""
    body = b"old 0\n\n" + f"{ORIGIN}\n0\n{encode_base64(root)}\n".encode()
    lines = b"\n" + f"\u2014 {ORIGIN} ".encode()
    text = body.removeprefix(b"old 0\n\n")
    signature = encode_base64(LOG.verifier.key_id + LOG.sign(text)).encode()
    desk = Desk()
    desk.refuses(422, body + lines + signature + b"\n")
    # it is asked for the origin and the signature first, as for any other
    desk.refuses(403, body + lines + encode_base64(LOG.verifier.key_id + LOG.sign(b"x")).encode() + b"\n")
    desk.refuses(404, (body + lines + signature + b"\n").replace(ORIGIN.encode(), b"x.example.com"))
    desk.add(0, 5)
    assert desk.refuses(409, body + lines + signature + b"\n").body == b"5\n"


def test_422_a_proof_from_nothing(desk: Desk) -> None:
    """ "If the old size is zero, the consistency proof MUST be empty"."""
    Desk().refuses(422, request(0, 60, proof(50, 60)))


def test_422_a_proof_that_does_not_verify(desk: Desk) -> None:
    """ "or if a Merkle Consistency Proof doesn't verify"; also one for the same size."""
    right = proof(50, 60)
    for hashes in ((), right[:-1], right[::-1], (*right, right[0]), proof(50, 61)):
        desk.refuses(422, request(50, 60, hashes))
    desk.refuses(422, request(50, 50, right))


def test_422_another_root_of_the_same_size() -> None:
    """ "the witness MUST check that the root hashes are also identical"; both are kept, as proof of misbehavior."""
    desk = Desk()
    desk.add(0, 200)
    desk.refuses(422, request(200, 200, (), "other"))
    check_fork(desk.evidence.saved[0], OURS.policy)
    assert "shows two histories" in desk.told[0].message


def test_the_order_of_what_is_asked(desk: Desk) -> None:
    """Where several things are wrong, the answer is the first of 400 (format), 404, 403, 400 (sizes), 409, 422."""
    wrong = tuple(reversed(proof(50, 60)))
    unsigned = signed(at(60).checkpoint, OTHER_KEY)
    elsewhere = signed(Checkpoint("x.example.com", at(60).tree), OTHER_KEY)
    desk.refuses(400, AddCheckpoint(99, wrong, elsewhere).data[:-1])
    desk.refuses(404, AddCheckpoint(99, wrong, elsewhere).data)
    desk.refuses(403, AddCheckpoint(99, wrong, unsigned).data)
    desk.refuses(400, request(99, 60, wrong))
    desk.refuses(409, request(49, 60, wrong))
    desk.refuses(422, request(50, 60, wrong))


def test_a_log_that_forks_is_never_cosigned_twice(desk: Desk) -> None:
    """Whatever is asked, all that was cosigned is of one history."""
    desk.add(50, 150)
    for new in (150, 160, 200):
        assert desk.add(150, new, "other").status == 422
    desk.add(150, 200)
    assert [tree.size for tree in check_row(desk.store.contents)] == [0, 50, 150, 200]


# ---- trouble of the witness itself


def test_500_a_witness_that_does_not_know_what_it_cosigned() -> None:
    """Nothing is cosigned, and its operator is told which object is gone."""
    desk = Desk(begin=False)
    desk.refuses(500, request(0, 5))
    assert desk.get().status == 500
    assert all(seen_path(ORIGIN) in error.message for error in desk.told)
    assert len(desk.told) == 2


@pytest.mark.parametrize("at_", [0, 1])
def test_503_a_store_that_fails(at_: int) -> None:
    """The sender may come again; what went wrong is told to the operator, and not to everyone."""
    store = MemoryStore()
    Desk(store=store)
    faults = Faults(at_, Fault.NOT_DONE)
    desk = Desk(store=faults.wrap(store, "state"), begin=False)
    reply = desk.post(request(0, 5))
    assert (reply.status, b"broken" in reply.body) == (503, False)
    assert "broken on purpose" in desk.told[0].message


# ---- the monitor retrieval mechanism


def test_what_readers_get(desk: Desk) -> None:
    """ "MUST include the cosignature(s) … returned from add-checkpoint and the cosignature from the log key(s)"."""
    lines = parse_signatures(desk.add(50, 60).body)
    reply = desk.get()
    assert reply.status == 200
    shown = parse_signed_checkpoint(reply.body)
    OURS.policy.accept(shown)
    assert shown.note.signatures[1:] == lines


def test_404_for_readers() -> None:
    """ "If the witness has never cosigned a checkpoint for that log, it MUST respond with a 404", begun or not."""
    desk = Desk()
    for path in (
        SEEN,
        f"/{seen_path('x')}",
        "/",
        "/checkpoint",
        SEEN[:-1],
        f"/x{SEEN}",
        f"//{seen_path(ORIGIN)}",
        "/../k",
    ):
        assert desk.get(path).status == 404, path
    desk.add(0, 0)
    assert desk.get().status == 200


# ---- what calls are taken


@pytest.mark.parametrize(
    ("method", "path", "headers", "found"),
    [
        ("POST", POST, {"Content-Length": "10"}, 10),
        ("POST", f"{POST}?x", {"Content-Length": str(MAX_REQUEST_SIZE)}, MAX_REQUEST_SIZE),
        ("POST", POST, {"Content-Length": str(MAX_REQUEST_SIZE + 1)}, 413),
        ("POST", POST, {"Content-Length": "9" * 5000}, 413),
        ("POST", POST, {"Content-Length": "-1"}, 400),
        ("POST", POST, {"Content-Length": "\u0661"}, 400),
        ("POST", POST, {}, 411),
        ("POST", POST, {"Transfer-Encoding": "chunked", "Content-Length": "1"}, 411),
        ("GET", POST, {}, 405),
        ("PUT", POST, {"Content-Length": "1"}, 405),
        ("GET", SEEN, {}, 0),
        ("GET", SEEN, {"Content-Length": "0"}, 0),
        ("GET", SEEN, {"Content-Length": "1"}, 413),
        ("GET", SEEN, {"Content-Length": "0" * 30 + "1"}, 413),
        ("HEAD", SEEN, {}, 405),
        ("POST", SEEN, {"Content-Length": "1"}, 405),
        ("DELETE", SEEN, {}, 405),
    ],
)
def test_calls(method: str, path: str, headers: dict[str, str], found: int) -> None:
    """ "The request MUST be an HTTP POST", or GET for readers; a body has a length, and a bound."""
    taken = Desk().desk.check(method, path, headers.get)
    if isinstance(taken, int):
        assert found == taken
    else:
        assert found == taken.status


def test_other_replies() -> None:
    """What the server says by itself."""
    desk = Desk().desk
    assert [desk.busy.status, desk.fault.status, desk.not_http(400).status] == [503, 500, 400]
    assert history("entry").head(0).root == EMPTY_ROOT
