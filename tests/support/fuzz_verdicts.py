"""What is decided about bytes from outside, with good ones for it: what is damaged in `fuzzing`, beside the parsers.

Each judges bytes as who receives them does, and holds what the verdict promises: what a policy accepts was signed with
these very words, a proof that holds is the one that was made, what is admitted is what its name says.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as NoBase64
from collections.abc import Callable, Iterable
from contextlib import suppress
from hashlib import sha256
from zlib import crc32

from tests.support.fuzz_parsers import (
    ADMISSION,
    BATCH,
    COSIGNED,
    NAME,
    PLAIN,
    POLICY,
    PQ,
    SIGNED,
    WITNESS,
    Target,
    encoded,
    of_text,
)
from tests.support.key_texts import PUBLISHED
from tests.support.signed_text import LOG, W1, W3
from tiles.errors import Malformed, PolicyError, ProofError, Refused, SignatureError, TilesError, UsageError
from tiles.inbox.admission import admit
from tiles.inbox.rules import NotAdmitted
from tiles.inbox.submission import format_submission, is_once
from tiles.notes.checkpoint import Checkpoint, parse_signed_checkpoint, sign_checkpoint, with_signatures
from tiles.notes.cosignature import cosign
from tiles.notes.encoding import decode_decimal
from tiles.notes.fork_evidence import NEWER, OLDER, PREFIX, check_fork, fork_error, fork_signers
from tiles.notes.freshness import quorum_time
from tiles.notes.keys import check_origin, parse_vkey
from tiles.notes.note import parse_note, verify_note
from tiles.notes.policy import Policy, parse_policy
from tiles.notes.tlog_proof import TlogProof, parse_tlog_proof, verify_tlog_proof
from tiles.records.paths import (
    checkpoint_path,
    decided_digest,
    decided_path,
    is_day_path,
    kept_size,
    staged_path,
    staged_size,
)
from tiles.records.serving import headers_of, is_for_ever
from tiles.records.staged_batch import digest, open_batch
from tiles.tree.layout import TILES, Tile, edge_tiles, levels, parse_tile_path, tile_at
from tiles.tree.merkle import TreeHead, leaf_hash, node_hash

VERDICT = (Malformed, SignatureError, PolicyError, ProofError)


def judged(judge: Callable[[bytes], object]) -> Callable[[bytes], bytes]:
    """Return what returns the bytes themselves, once they are judged."""

    def judge_and_return(data: bytes) -> bytes:
        judge(data)
        return data

    return judge_and_return


def verdict(
    name: str,
    judge: Callable[[bytes], object],
    seeds: Iterable[bytes],
    refusals: tuple[type[TilesError], ...] = VERDICT,
    mend: Callable[[bytes], bytes] | None = None,
) -> Target:
    """Return a target whose value is the bytes themselves."""
    return Target(name, judged(judge), lambda data: data, tuple(seeds), mend, refusals)


# ---- keys, with the key id of what they have become


def with_key_id(vkey: bytes) -> bytes:
    """Return a verifier key with the key id that belongs to its name and key, whatever these are."""
    name, _, rest = vkey.partition(b"+")
    try:
        material = b64decode(rest.partition(b"+")[2], validate=True)
    except NoBase64:
        return vkey
    hashed = material[1:] if material[:1] == b"\x02" else name + b"\n" + material
    return b"%s+%s+%s" % (name, sha256(hashed).hexdigest()[:8].encode(), b64encode(material))


def with_key_ids(policy: bytes) -> bytes:
    """Return a policy whose keys have the key ids that belong to them."""
    words = [line.split(b" ") for line in policy.split(b"\n")]
    return b"\n".join(b" ".join(with_key_id(word) if word.count(b"+") > 1 else word for word in line) for line in words)


GROUPS = (
    f"log {LOG.verifier.vkey}\nwitness a {W1.verifier.vkey} https://a.example\nwitness b {W3.verifier.vkey}\n"
    f"witness c {WITNESS.verifier.vkey}\ngroup g 2 a b c\n# a comment\n"
    f"witness d {PUBLISHED['a witness of witness-network.org'][1]}\n"
    "group h all g d\nquorum h\n"
).encode()


def trust(data: bytes) -> Policy:
    """Return a policy; hold that no key counts twice in it."""
    policy = parse_policy(data)
    for keys in ([log.key for log in policy.logs], [witness.key for witness in policy.witnesses]):
        assert len({key.public for key in keys}) == len(keys), f"a key counts twice: {data!r}"
    return policy


# ---- checkpoints, proofs and forks under a policy

TRUSTED = parse_policy(POLICY)
STRICT = parse_policy(POLICY.replace(b"group g any", b"group g all"))
PQ_SIGNED = with_signatures(PLAIN, [*COSIGNED.note.signatures, cosign(PLAIN, PQ, 1_679_315_148)])


def accept(data: bytes) -> None:
    """Hold that a policy accepts only the text that was signed; how fresh it is can be said."""
    signed = parse_signed_checkpoint(data)
    accepted = TRUSTED.accept(signed)
    assert signed.checkpoint == PLAIN, f"not what was signed: {data!r}"
    assert (quorum_time(TRUSTED, accepted.cosignatures) or 0) <= 1_679_315_148
    with suppress(PolicyError):
        STRICT.accept(signed, PLAIN.origin)


def verify(data: bytes) -> None:
    """Hold that a note that is verified has the text that was signed."""
    note = parse_note(data)
    verify_note(note, [LOG.verifier])
    assert note.text == PLAIN.text, f"not what was signed: {data!r}"


LEAVES = tuple(leaf_hash(bytes([n])) for n in range(3))
ROOT = node_hash(node_hash(LEAVES[0], LEAVES[1]), LEAVES[2])
THREE = sign_checkpoint(Checkpoint(LOG.name, TreeHead(3, ROOT)), LOG)
LOGS = TRUSTED.without_quorum()
PROVEN = TlogProof(1, (LEAVES[0], LEAVES[2]), THREE, b"extra")


def prove(data: bytes) -> None:
    """Hold that a proof that holds is the one that was made."""
    proof = parse_tlog_proof(data)
    verify_tlog_proof(proof, LEAVES[1], LOGS)
    assert (proof.index, proof.hashes, proof.checkpoint.tree) == (1, PROVEN.hashes, THREE.tree), f"proves: {data!r}"


PARTS = (OLDER, NEWER, PREFIX)
BETWEEN = b"\n=====\n"
TWO = sign_checkpoint(Checkpoint(LOG.name, TreeHead(2, node_hash(LEAVES[0], LEAVES[1]))), LOG)  # of THREE
OTHER_TWO = sign_checkpoint(Checkpoint(LOG.name, TreeHead(2, node_hash(LEAVES[1], LEAVES[0]))), LOG)
OTHER_THREE = sign_checkpoint(Checkpoint(LOG.name, TreeHead(3, LEAVES[1])), LOG)
FORKS = tuple(
    BETWEEN.join(error.evidence[part] for part in PARTS if part in error.evidence)
    for error in (
        fork_error(THREE, OTHER_THREE),
        fork_error(OTHER_TWO, THREE, (node_hash(LEAVES[0], LEAVES[1]), LEAVES[2])),
    )
)
SIGNED_BY_LOG = (THREE, TWO, OTHER_TWO, OTHER_THREE)


def with_another(data: bytes) -> bytes:
    """Return evidence with some checkpoint that the log has signed in the place of one of the two."""
    parts = data.split(BETWEEN)
    chance = crc32(data)
    parts[chance % 2 : chance % 2 + 1] = [SIGNED_BY_LOG[chance // 2 % len(SIGNED_BY_LOG)].data]
    return BETWEEN.join(parts)


def fork(data: bytes) -> None:
    """Hold that evidence which convicts a log has two texts that it has signed, which exclude each other."""
    older, newer = check_fork(dict(zip(PARTS, data.split(BETWEEN), strict=False)), LOGS)
    two = {older.note.text, newer.note.text}
    assert two <= {signed.note.text for signed in SIGNED_BY_LOG}, f"not what was signed: {data!r}"
    assert len(two) == 2, f"no fork: {data!r}"
    assert two != {TWO.note.text, THREE.note.text}, f"no fork: {data!r}"
    assert fork_signers(older, newer, LOGS) == (LOG.verifier, LOG.verifier)


# ---- submissions, batches and the names of objects

SUBMISSIONS = (
    format_submission([b""], once=True),
    *(format_submission(entries) for entries in ([b""], [b"one", b"", b"\n\n", b"x" * 299])),
)


def named(data: bytes) -> bytes:
    """Return a submission below its name with the digest in the name that its bytes have."""
    name, found, content = data.partition(b"\0")
    if not found:
        return data
    return b"%s-%s\0%s" % (name.rpartition(b"-")[0], sha256(content).hexdigest().encode(), content)


def submit(data: bytes) -> None:
    """Hold that what is admitted are the entries of an object that is what its name says, within the limits."""
    name, _, content = data.partition(b"\0")
    entries = admit(name.decode("utf-8", "surrogateescape"), content, ADMISSION).entries
    assert name.split(b"/")[0].decode() in ADMISSION.submitters
    assert name.endswith(sha256(content).hexdigest().encode())
    assert format_submission(entries, once=is_once(content)) == content
    assert max(map(len, entries)) <= ADMISSION.max_entry_bytes


def staged(data: bytes) -> None:
    """Hold that a batch that is opened has the entries that it says it has."""
    batch = open_batch(data, BATCH.size, digest(data))
    assert batch.base + len(batch.entries()) == BATCH.size


DAY = "checkpoints/days/2024-02-29"
PATHS = (staged_path(7, "a" * 64), decided_path("b" * 64), checkpoint_path(1_234_067), DAY, Tile(0, 5, 7).path)


def place(path: str) -> None:
    """Hold that whatever a path is taken for is written as that path, and that each can be served."""
    kept, batch_size, decided = kept_size(path), staged_size(path), decided_digest(path)
    assert kept is None or checkpoint_path(kept) == path
    assert batch_size is None or path.startswith(f"staging/{batch_size}-")
    assert decided is None or decided_path(decided) == path
    assert not is_day_path(path) or len(path) == len(DAY)
    assert "immutable" in headers_of(path)["Cache-Control"] or not is_for_ever(path)
    if [kept, batch_size, decided] == [None] * 3 and not is_day_path(path) and not path.startswith(TILES):
        raise Malformed("path", "of nothing that is looked for by its path", path)


def size(text: str) -> None:
    """Hold that a tree of any size has few tiles at its edge, each of which has a path that names it."""
    tree_size = decode_decimal(text, "size")
    edge = [*edge_tiles(tree_size), *(tile_at(tree_size, level, 0) for level in levels(tree_size))]
    assert len(edge) <= 16
    assert [parse_tile_path(tile.path) for tile in edge] == edge


VERDICTS = (
    verdict("checkpoint under a policy", accept, (COSIGNED.data, PQ_SIGNED.data)),
    verdict("note and its key", verify, (SIGNED.data, COSIGNED.data)),
    verdict("proof under a policy", prove, (PROVEN.data,)),
    verdict("evidence of a fork", fork, FORKS, mend=with_another),
    Target(
        "verifier key with its key id",
        of_text(parse_vkey),
        encoded(lambda key: key.vkey),
        (*(text.encode() for _, text in PUBLISHED.values()), WITNESS.verifier.vkey.encode()),
        with_key_id,
    ),
    Target("policy with its key ids", trust, lambda policy: policy.data, (POLICY, GROUPS), with_key_ids),
    verdict(
        "submission that is admitted",
        submit,
        (named(b"ann/%s-\0%s" % (NAME.nonce.encode(), one)) for one in SUBMISSIONS),
        (NotAdmitted,),
        named,
    ),
    verdict("batch that is opened", staged, (BATCH.data,), (Malformed, Refused)),
    verdict("size of a tree", of_text(size), (b"0", b"256", b"20852163", b"9223372036854775807")),
    verdict("name of a log", of_text(check_origin), (LOG.name.encode(), b"log.example.com/a/b"), (UsageError,)),
    verdict("path of an object", of_text(place), (path.encode() for path in PATHS)),
)
