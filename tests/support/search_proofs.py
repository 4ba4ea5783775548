"""Search proofs that hold, and for each rule of docs/index-format.md, "A search proof", some that do not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from tests.support.indexed import client_of, named, with_index
from tests.support.reference import Tree, flipped
from tests.support.signed_text import LOG, MLDSA44, key, signed
from tests.support.web_logs import log_of
from tiles.entries.kind import LEAF, NAME, Key
from tiles.index.lookup import Shown
from tiles.index.opened import open_index
from tiles.index.record import record, records_of
from tiles.index.run import build_run, records_in
from tiles.index.search_proof import Candidate, SearchProof, parse_search_proof
from tiles.index.search_prover import make_search_proof
from tiles.notes.checkpoint import Checkpoint
from tiles.notes.index_head import IndexHead, parse_index_head, sign_index_head
from tiles.notes.keys import SigningKey
from tiles.notes.note import parse_note
from tiles.tree.merkle import EMPTY_TREE, Hash, TreeHead, leaf_hash, leaf_hashes

POLICY = f"log {LOG.verifier.vkey}\nquorum none\n"
COVERED = 4096
OTHER = key("other.example.com", 31)
ML_DSA = key(LOG.name, 32, MLDSA44)


@dataclass(frozen=True)
class Case:
    """A search proof, and what it comes to for whoever trusts a policy.

    expect   "ok", or the error
    hits     the indexes that have the key, if it holds
    """

    data: bytes
    expect: str
    hits: tuple[int, ...] = ()
    policy: str = POLICY


def entry(index: int) -> bytes:
    """Return an entry of the log: some have one name, one a name of its own, the others none."""
    if index % 250 == 7 or index == COVERED + 2:
        return named(index, "popular")
    return named(index, "alone") if index == 1234 else named(index, "newest") if index == COVERED + 1 else b"%d" % index


SIZE = COVERED + 3
ENTRIES = [entry(index) for index in range(SIZE)]
POPULAR = tuple(index for index in range(SIZE) if index % 250 == 7 or index == COVERED + 2)
TREE = Tree(dict(enumerate(leaf_hashes(ENTRIES))))
CHECKPOINT = signed(Checkpoint(LOG.name, TREE.head(SIZE)), LOG)


@cache
def _objects(indexed: bool, size: int, raw: bool) -> dict[str, bytes]:
    log = log_of([b"raw %d" % index for index in range(size)] if raw else ENTRIES[:size])
    return with_index(log, NAME, *([] if raw else [LEAF])) if indexed else log


def made(kind: str, value: bytes, *, indexed: bool = True, size: int = SIZE, raw: bool = False) -> SearchProof:
    """Return the proof for a key in the log, in one of its beginnings, or in a log of which no entry has a name."""
    client = client_of(_objects(indexed, size, raw))
    return make_search_proof(client, Key(kind, value), open_index(client, kind) if indexed else None)


def name(value: str) -> SearchProof:
    """Return the proof for a name."""
    return made(NAME, value.encode())


def head_of(proof: SearchProof) -> IndexHead:
    """Return the head in a proof."""
    return parse_index_head(parse_note(proof.index).text)


def with_head(proof: SearchProof, head: IndexHead, by: SigningKey = LOG) -> SearchProof:
    """Return the proof with another head, signed."""
    return replace(proof, index=sign_index_head(head, by).data)


def with_records(proof: SearchProof, records: list[bytes]) -> SearchProof:
    """Return the proof with another run, which the log's key vouches for; all its pages are shown."""
    run, objects = build_run(proof.key.kind, 0, 0, records)
    pages = [data for path, data in objects.items() if "/tile/" not in path]
    cut = [pages[0][at : at + 4096] for at in range(0, len(pages[0]), 4096)]
    tree = Tree({number: leaf_hash(page) for number, page in enumerate(cut)})
    shown = Shown(0, tuple((page, tuple(tree.path(number, len(cut)))) for number, page in enumerate(cut)))
    head = head_of(proof)
    return with_head(replace(proof, runs=(shown,)), replace(head, runs=(run,)))


def candidate(index: int) -> Candidate:
    """Return an entry with its proof."""
    return Candidate(index, ENTRIES[index], tuple(TREE.path(index, SIZE)))


def pages(proof: SearchProof, first: int, stop: int) -> SearchProof:
    """Return the proof for a leaf hash with other pages of its run."""
    records = sorted(records_in(records_of(LEAF, ENTRIES[:COVERED], 0)))
    cut = [b"".join(records[at : at + 256]) for at in range(0, COVERED, 256)]
    tree = Tree({number: leaf_hash(page) for number, page in enumerate(cut)})
    shown = tuple((cut[number], tuple(tree.path(number, len(cut)))) for number in range(first, stop))
    return replace(proof, runs=(Shown(first, shown),))


@cache
def holding() -> dict[str, Case]:
    """Return proofs that hold."""
    leaf = made(LEAF, leaf_hash(ENTRIES[5]))
    return {
        "one hit in a run": Case(name("alone").data, "ok", (1234,)),
        "one hit in the tail": Case(name("newest").data, "ok", (COVERED + 1,)),
        "many hits, in run and tail": Case(name("popular").data, "ok", POPULAR),
        "no hit": Case(name("nobody").data, "ok"),
        "a leaf hash in a run": Case(leaf.data, "ok", (5,)),
        "a leaf hash in the tail": Case(made(LEAF, leaf_hash(ENTRIES[COVERED])).data, "ok", (COVERED,)),
        "no such leaf hash": Case(made(LEAF, bytes(32)).data, "ok"),
        "more pages than have to be": Case(
            pages(leaf, leaf.runs[0].first - 1, leaf.runs[0].first + 2).data, "ok", (5,)
        ),
        "an empty run": Case(made(NAME, b"a", raw=True).data, "ok"),
        "no index": Case(made(NAME, b"popular", indexed=False, size=10).data, "ok", (7,)),
        "no index, no hit": Case(made(LEAF, bytes(32), indexed=False, size=3).data, "ok"),
        "the empty log": Case(made(NAME, b"a", indexed=False, size=0).data, "ok"),
        "no tail": Case(made(NAME, b"alone", size=COVERED).data, "ok", (1234,)),
        "an empty value": Case(made(NAME, b"", indexed=False, size=3).data, "ok"),
        "a policy with two keys of the log": Case(
            name("alone").data, "ok", (1234,), f"log {ML_DSA.verifier.vkey}\n{POLICY}"
        ),
    }


def _signatures() -> dict[str, Case]:
    """Rule 1: whose checkpoint and whose head it is, and of what."""
    proof, head = name("alone"), head_of(name("alone"))
    note = parse_note(proof.index)
    forged = replace(note, signatures=(replace(note.signatures[0], signature=bytes(64)),))
    ml_dsa = replace(proof, checkpoint=signed(CHECKPOINT.checkpoint, ML_DSA))
    older = signed(Checkpoint(LOG.name, TREE.head(COVERED - 1)), LOG)
    nothing = IndexHead(LOG.name, NAME, EMPTY_TREE, ())
    small = made(NAME, b"popular", indexed=False, size=10)
    return {
        "a policy without the log": Case(proof.data, "PolicyError", policy=f"log {OTHER.verifier.vkey}\nquorum none\n"),
        "an ML-DSA key only": Case(ml_dsa.data, "SignatureError", policy=f"log {ML_DSA.verifier.vkey}\nquorum none\n"),
        "a head by somebody else": Case(with_head(proof, head, OTHER).data, "SignatureError"),
        "a head by a key that is not trusted": Case(with_head(proof, head, key(LOG.name, 33)).data, "SignatureError"),
        "a head with a wrong signature": Case(replace(proof, index=forged.data).data, "SignatureError"),
        "a head of another kind": Case(with_head(proof, replace(head, kind=LEAF)).data, "ProofError"),
        "a head of another log": Case(with_head(proof, replace(head, origin="a")).data, "ProofError"),
        "a head that covers more": Case(replace(proof, checkpoint=older, tail=()).data, "ProofError"),
        "a head that covers nothing": Case(with_head(small, nothing).data, "ProofError"),
        "a checkpoint as a head": Case(replace(proof, index=CHECKPOINT.data).data, "Malformed"),
        "no note as a head": Case(replace(proof, index=b"head").data, "Malformed"),
        "an application's kind": Case(replace(small, key=Key("acme.build/1", b"popular")).data, "ProofError"),
    }


def _trees() -> dict[str, Case]:
    """Rule 2: edge and tail lead to the checkpoint."""
    proof, head = name("alone"), head_of(name("alone"))
    other = signed(Checkpoint(LOG.name, TreeHead(SIZE, Hash(bytes(32)))), LOG)
    lies = replace(head, tree=TreeHead(COVERED, Hash(bytes(32))))
    both = replace(proof, edge=(Hash(bytes(32)),))
    leaf = made(LEAF, leaf_hash(ENTRIES[COVERED]))
    wrong = {
        "another edge": both,
        "another edge, and a head that says so": with_head(both, lies),
        "no edge": replace(proof, edge=()),
        "an edge too long": replace(proof, edge=proof.edge * 2),
        "an edge without a head": replace(proof, index=b"", runs=(), candidates=()),
        "another root in the head": with_head(proof, lies),
        "another root in the checkpoint": replace(proof, checkpoint=other),
        "a tail without an entry": replace(proof, tail=proof.tail[:-1]),
        "a tail with one more entry": replace(proof, tail=(*proof.tail, b"more")),
        "another entry in the tail": replace(proof, tail=(*proof.tail[:-1], b"other")),
        "a tail in another order": replace(proof, tail=proof.tail[::-1]),
        "another leaf hash in the tail": replace(leaf, tail=(bytes(32), *leaf.tail[1:])),
        "no index, and an entry is missing": replace(made(NAME, b"a", indexed=False, size=10), tail=()),
    }
    return {what: Case(one.data, "ProofError") for what, one in wrong.items()}


def _gap(leaf: SearchProof, at: int) -> Shown:
    """Return the page before one, and the one after it, as if they were neighbours."""
    before, after = pages(leaf, at - 1, at).runs[0], pages(leaf, at + 1, at + 2).runs[0]
    return Shown(before.first, before.pages + after.pages)


def _pages() -> dict[str, Case]:
    """Rule 3: the pages are of the run, and leave no room for the key."""
    proof, leaf = name("nobody"), made(LEAF, leaf_hash(ENTRIES[5]))
    (shown,), (of_leaf,) = proof.runs, leaf.runs
    (page, _), at = shown.pages[0], of_leaf.first
    records = sorted(records_in(records_of(NAME, ENTRIES[:COVERED], 0)))
    swapped = [records[1], records[0], *records[2:]]
    beyond = sorted([*records, record(Key(NAME, b"beyond"), COVERED)])
    wrong = {
        "another page": replace(proof, runs=(Shown(0, ((flipped(page, 0), ()),)),)),
        "a shorter page": replace(proof, runs=(Shown(0, ((page[:-16], ()),)),)),
        "an empty page": replace(proof, runs=(Shown(0, ((b"", ()),)),)),
        "a hash too many": replace(proof, runs=(Shown(0, ((page, (Hash(bytes(32)),)),)),)),
        "another hash": replace(leaf, runs=(replace(of_leaf, pages=((of_leaf.pages[0][0], (Hash(bytes(32)),) * 4),)),)),
        "a page at another place": replace(leaf, runs=(replace(of_leaf, first=(at + 1) % 16),)),
        "a page that is not there": replace(proof, runs=(replace(shown, first=1),)),
        "no run": replace(proof, runs=()),
        "a run too many": replace(proof, runs=(shown, shown)),
        "a page of an empty run": replace(made(NAME, b"a", raw=True), runs=(shown,)),
        "pages after the key": replace(pages(leaf, at + 1, at + 2), candidates=()),
        "pages before the key": replace(pages(leaf, at - 1, at), candidates=()),
        "pages on both sides of the key": replace(leaf, runs=(_gap(leaf, at),), candidates=()),
        "records that are not in order": with_records(proof, swapped),
        "a record twice": with_records(proof, [records[0], *records]),
        "a record of an entry that is not covered": with_records(proof, beyond),
    }
    return {what: Case(one.data, "ProofError") for what, one in wrong.items()}


def _candidates() -> dict[str, Case]:
    """Rule 4: the candidates are those that the records name, and are what the records say."""
    proof = name("popular")
    first, second, *others = proof.candidates
    wrong = {
        "no candidates": replace(proof, candidates=()),
        "a candidate is missing": replace(proof, candidates=(first, *others)),
        "a candidate too many": replace(proof, candidates=(first, second, *others, candidate(COVERED + 2))),
        "a candidate twice": replace(proof, candidates=(first, first, second, *others)),
        "candidates in another order": replace(proof, candidates=(second, first, *others)),
        "another entry": replace(proof, candidates=(replace(first, entry=second.entry), second, *others)),
        "another hash": replace(proof, candidates=(replace(first, hashes=second.hashes), second, *others)),
        "no hashes": replace(proof, candidates=(replace(first, hashes=()), second, *others)),
        "a candidate without a page": replace(name("nobody"), candidates=(candidate(7),)),
    }
    alone, records = name("alone"), sorted(records_in(records_of(NAME, ENTRIES[:COVERED], 0)))
    lying = with_records(alone, sorted([*records, record(Key(NAME, b"alone"), 99)]))
    lying = replace(lying, candidates=(candidate(99), candidate(1234)))
    return {what: Case(one.data, "ProofError") for what, one in wrong.items()} | {
        "a record of a key that the entry does not have": Case(lying.data, "VerificationError")
    }


def _texts() -> dict[str, Case]:
    """Texts that are nearly a proof."""
    data = name("alone").data
    assert parse_search_proof(data) == name("alone")
    value = b"\nvalue "
    head, _, checkpoint = data.partition(b"\n\n")
    lines = head.split(b"\n")
    run, edge = lines.index(b"run 0"), next(at for at, line in enumerate(lines) if line.startswith(b"edge "))
    wrong = {
        "nothing": b"",
        "no checkpoint": head,
        "a blank line too many": head + b"\n\n\n" + checkpoint,
        "no checkpoint after the blank line": head + b"\n\n",
        "another title": data.replace(b"proof/v1", b"proof/v2", 1),
        "no kind": data.replace(b"\nkind name/1", b"", 1),
        "no such kind": data.replace(b"kind name/1", b"kind name", 1),
        "a kind in capitals": data.replace(b"kind name/1", b"kind Name/1", 1),
        "no value": head.replace(lines[2] + b"\n", b"") + b"\n\n" + checkpoint,
        "a value that is no base64": data.replace(value, value + b"!", 1),
        "base64 without padding": data.replace(b"==\n", b"\n", 1)
        if b"==\n" in head
        else data.replace(b"=\n", b"\n", 1),
        "an empty index": head.replace(lines[3], b"index ") + b"\n\n" + checkpoint,
        "an index twice": head.replace(lines[3], lines[3] + b"\n" + lines[3]) + b"\n\n" + checkpoint,
        "a number with a zero": data.replace(b"\nrun 0", b"\nrun 00", 1),
        "a negative number": data.replace(b"\nrun 0", b"\nrun -0", 1),
        "a number too large": data.replace(b"\nrun 0", b"\nrun 281474976710657", 1),
        "a run without pages": b"\n".join([*lines[: run + 1], *lines[edge:]]) + b"\n\n" + checkpoint,
        "a page without a run": b"\n".join([*lines[:run], *lines[run + 1 :]]) + b"\n\n" + checkpoint,
        "a page that is too long": data.replace(lines[run + 1], b"page " + b"A" * 4 * 1366, 1),
        "a hash that is short": data.replace(lines[edge], b"edge " + b"A" * 40, 1),
        "the edge after the tail": b"\n".join([*lines[:edge], lines[edge + 1], lines[edge], *lines[edge + 2 :]])
        + b"\n\n"
        + checkpoint,
        "a word that is none": head.replace(b"edge ", b"ridge ", 1) + b"\n\n" + checkpoint,
        "two spaces": data.replace(b"\nkind ", b"\nkind  ", 1),
        "a space at the end": data.replace(b"\nrun 0", b"\nrun 0 ", 1),
        "carriage returns": data.replace(b"\n", b"\r\n"),
        "a candidate without its entry": head[: head.rindex(b"\nentry ")] + b"\n\n" + checkpoint,
        "leaf hashes of names": data.replace(b"\nentry ", b"\nleaf ", 1),
        "not UTF-8": data.replace(b"name/1", b"n\xffme/1", 1),
        "a leaf hash that is short": data.replace(b"kind name/1", b"kind leaf/1", 1).replace(
            b"\nentry ", b"\nleaf ", 3
        ),
    }
    return {what: Case(text, "Malformed") for what, text in wrong.items()}


@cache
def refused() -> dict[str, Case]:
    """Return proofs that do not hold, each with the error."""
    return {
        f"{rule}: {what}": case
        for rule, cases in (
            ("rule 1", _signatures()), ("rule 2", _trees()), ("rule 3", _pages()), ("rule 4", _candidates()),
            ("text", _texts()),
        )
        for what, case in cases.items()
    }  # fmt: skip
