"""Every parser, with good input for it, and how what it returns is formatted: what is damaged in `fuzzing`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tests.support.index_texts import HEADS
from tests.support.other_logs import record, tile_leaf, timestamped
from tests.support.revocation_texts import REVOCATIONS
from tests.support.search_proofs import holding
from tests.support.signed_text import LOG
from tests.support.withheld_texts import RECORDS
from tiles.entries.file_digest import DigestEntry, parse_digest_entry
from tiles.entries.proof_extra import ProofExtra, parse_proof_extra
from tiles.errors import Malformed, TilesError
from tiles.inbox.admission import OPEN, Admission, parse_admission
from tiles.inbox.receipt import Receipt, format_receipts, parse_receipt, parse_receipts
from tiles.inbox.submission import Name, format_submission, is_once, parse_name, parse_submission
from tiles.index.search_proof import parse_search_proof
from tiles.notes.checkpoint import (
    Checkpoint,
    parse_checkpoint,
    parse_signed_checkpoint,
    sign_checkpoint,
    with_signatures,
)
from tiles.notes.cosignature import cosign
from tiles.notes.index_head import parse_index_head
from tiles.notes.key_change import RETIRE, KeyChange, parse_key_change
from tiles.notes.keys import SignatureType, parse_skey, parse_vkey, signing_key
from tiles.notes.note import parse_note, parse_signature
from tiles.notes.policy import parse_policy
from tiles.notes.tlog_proof import TlogProof, parse_tlog_proof
from tiles.notes.withheld import parse_withheld
from tiles.read.go_sumdb import parse_lookup
from tiles.records.decided import format_decided, parse_decided
from tiles.records.head import Head, parse_head
from tiles.records.settings import Settings, parse_settings
from tiles.records.staged_batch import Batch, parse_batch
from tiles.signing.anchor import Anchor, parse_anchor
from tiles.sigstore.revocation import parse_revocation
from tiles.store.bounded_gzip import MAGIC, decode, encode
from tiles.tree.bundle import encode_entries, parse_bundle
from tiles.tree.ct_bundle import parse_ct_entry, tile_leaves
from tiles.tree.layout import ENTRIES, Tile, parse_tile_path
from tiles.tree.merkle import TreeHead, leaf_hash
from tiles.tree.sumdb_bundle import format_records, parse_records
from tiles.tree.tile import parse_tile
from tiles.watch.monitor_state import Position, parse_position


@dataclass(frozen=True)
class Target:
    """A parser, good input for it, and how its result is formatted.

    mend       what makes good again, in every other damaged input, what would refuse it alone: a digest in it
    refusals   the errors that say no
    """

    name: str
    parse: Callable[[bytes], Any]
    format: Callable[[Any], bytes]
    seeds: tuple[bytes, ...]
    mend: Callable[[bytes], bytes] | None = None
    refusals: tuple[type[TilesError], ...] = (Malformed,)


WITNESS = signing_key("witness.example.com/w1", bytes(32), SignatureType.COSIGNATURE)
PQ = signing_key("pq.example.com", bytes(32), SignatureType.MLDSA44)
TREE = TreeHead(20_852_163, leaf_hash(b"root"))
PLAIN = Checkpoint(LOG.name, TREE, ("an extension", "another"))
SIGNED = sign_checkpoint(PLAIN, LOG)
COSIGNED = with_signatures(PLAIN, [*SIGNED.note.signatures, cosign(PLAIN, WITNESS, 1_679_315_147)])
PROOF = TlogProof(73_894, tuple(leaf_hash(bytes([n])) for n in range(5)), SIGNED, b"extra")
POLICY = (
    f"# whom to trust\nlog {LOG.verifier.vkey} https://log.example.com\n\twitness w1 {WITNESS.verifier.vkey}\n"
    f"witness w2 {PQ.verifier.vkey}\ngroup g any w1 w2\n\nquorum g\n"
).encode()
RECORDS_TILE = format_records([record(index) for index in range(3)])
CERTIFICATES_TILE = tile_leaf(0) + tile_leaf(1, is_precert=True) + tile_leaf(2, cert=b"x")
CERTIFICATE_ENTRY = b"\0\0" + timestamped(7, is_precert=True)
HEAD = Head(LOG.name, (LOG.verifier.vkey,), "0" * 64, "f" * 64, "b" * 32, "a" * 32, TREE, 20_852_000, "b" * 64)
_KEYS = tuple(signing_key("example.com/log", bytes([n]) * 32).verifier for n in (1, 2))
KEY_STATEMENT = KeyChange(3, RETIRE, _KEYS[0], TreeHead(5, leaf_hash(b"root")), _KEYS).text
POSITION = Position("0123456789abcdef" * 4, 20_852_162, 1 << 40, SIGNED)
NAME = Name("ann.b-1_c", "0123456789abcdef" * 2, "fedcba9876543210" * 4)
RECEIPTS = (
    Receipt("s3://bucket/log", NAME, PROOF.hashes[:1]),
    Receipt("/srv/a log", NAME, PROOF.hashes[:3], once=True),
)
ADMISSION = Admission(1 << 16, 1000, 300, ("ann", "bob.b-1"))
REVOKING = [entry for entry, what in REVOCATIONS.items() if what is not None and len(entry) < 1000]
BATCH = Batch(7, 3, encode_entries([b"", b"one", b"\n\n"]), ("s/1-x", "s/2-y"), (("s/3", "too long"),))


GZIP_LIMIT = 1000  # bytes


def _within(decoded: bytes) -> bytes:
    assert len(decoded) <= GZIP_LIMIT
    return decoded


def of_text(parse: Callable[[str], Any]) -> Callable[[bytes], Any]:
    """Return a parser of text as one of bytes; bytes that are no text are handed on as what no text can hold."""
    return lambda data: parse(data.decode("utf-8", "surrogateescape"))


def encoded(format_: Callable[[Any], str]) -> Callable[[Any], bytes]:
    """Return what formats to bytes what `format_` formats to text."""
    return lambda value: format_(value).encode("utf-8", "surrogateescape")


PARSERS = (
    Target("note", parse_note, lambda note: note.data, (SIGNED.data, COSIGNED.data, b"text\n\nmore\n\n" + SIGNED.data)),
    Target(
        "signature line",
        of_text(parse_signature),
        encoded(lambda signature: signature.line),
        tuple(signature.line.encode() for signature in COSIGNED.note.signatures),
    ),
    Target("checkpoint", parse_checkpoint, lambda checkpoint: checkpoint.text, (PLAIN.text,)),
    Target("signed checkpoint", parse_signed_checkpoint, lambda signed: signed.data, (SIGNED.data, COSIGNED.data)),
    Target(
        "verifier key",
        of_text(parse_vkey),
        encoded(lambda key: key.vkey),
        (LOG.verifier.vkey.encode(), WITNESS.verifier.vkey.encode()),
    ),
    Target("signing key", of_text(parse_skey), encoded(lambda key: key.skey), (LOG.skey.encode(),)),
    Target("policy", parse_policy, lambda policy: policy.data, (POLICY, b"quorum none\n")),
    Target("tlog-proof", parse_tlog_proof, lambda proof: proof.data, (PROOF.data, TlogProof(0, (), SIGNED).data)),
    Target(
        "tile path",
        of_text(parse_tile_path),
        encoded(lambda tile: tile.path),
        tuple(tile.path.encode() for tile in (Tile(0, 1_234_067), Tile(ENTRIES, 5, 7), Tile(63, 0, 255))),
    ),
    Target("tile", lambda data: parse_tile(data, 3), b"".join, (b"".join(PROOF.hashes[:3]),)),
    Target(
        "bundle", lambda data: parse_bundle(data, 3), encode_entries, (BATCH.body, encode_entries([b"x" * 300] * 3))
    ),
    Target("data tile of records", lambda data: parse_records(data, 3), format_records, (RECORDS_TILE,)),
    Target(
        "data tile of certificates",
        lambda data: tile_leaves(data, 3, 0),
        lambda leaves: b"".join(leaf.data for leaf in leaves),
        (CERTIFICATES_TILE,),
    ),
    Target("entry of certificates", lambda data: (parse_ct_entry(data), data)[1], bytes, (CERTIFICATE_ENTRY,)),
    Target(
        "lookup",
        parse_lookup,
        lambda found: f"{found.index}\n".encode() + found.record + b"\n" + found.signed.data,
        (b"7\na.example.com v1.0.0 h1:A=\n\n" + SIGNED.data,),
    ),
    Target("head", parse_head, lambda head: head.data, (HEAD.data,)),
    Target("decided record", parse_decided, format_decided, (format_decided("ann/x"), format_decided("y" * 512))),
    Target(
        "batch",
        parse_batch,
        lambda batch: batch.data,
        (BATCH.data, Batch(0, 1, b"\0\0").data, replace(BATCH, already=((0, 3), (4, 9))).data),
    ),
    Target("anchor", parse_anchor, lambda anchor: anchor.data, (Anchor(LOG.name, "a" * 32, TREE).data,)),
    Target(
        "submission",
        lambda data: (parse_submission(data), is_once(data)),
        lambda found: format_submission(found[0], once=found[1]),
        (format_submission([b""], once=True), format_submission([b"one", b"", b"\n\n", b"x" * 300])),
    ),
    Target("name of a submission", of_text(parse_name), encoded(lambda name: name.text), (NAME.text.encode(),)),
    Target("admission policy", parse_admission, lambda admission: admission.data, (OPEN.data, ADMISSION.data)),
    Target("receipt", parse_receipt, lambda receipt: receipt.data, tuple(each.data for each in RECEIPTS)),
    Target("receipts", parse_receipts, format_receipts, (RECEIPTS[0].data, format_receipts(RECEIPTS * 2))),
    Target(
        "settings",
        parse_settings,
        lambda settings: settings.data,
        (Settings("1.0").data, Settings("2", True, anchor="/k.anchor").data),
    ),
    Target(
        "digest entry",
        parse_digest_entry,
        lambda found: found.data,
        tuple(DigestEntry("a1" * 32, 12_345, name).data for name in (None, "app-1.0.whl", "résumé v2.txt")),
    ),
    Target(
        "extra data of a proof",
        parse_proof_extra,
        lambda extra: extra.data,
        (ProofExtra(DigestEntry("0" * 64, 0, "a b").data).data, ProofExtra(b"blinded", bytes(32)).data),
    ),
    Target(
        "search proof",
        parse_search_proof,
        lambda proof: proof.data,
        tuple(holding()[what].data for what in ("many hits, in run and tail", "no such leaf hash", "no index")),
    ),
    Target("revocation", parse_revocation, lambda found: found.data, tuple(REVOKING)),
    Target("position of a monitor", parse_position, lambda found: found.data, (POSITION.data,)),
    Target("key statement", parse_key_change, lambda said: said.text, (KEY_STATEMENT,)),
    Target("withheld entries", parse_withheld, lambda said: said.text, tuple(RECORDS.values())[:1]),
    Target("index head", parse_index_head, lambda head: head.text, tuple(HEADS.values())),
    # others encode the same otherwise, so what is held is what it decodes to: within the limit, or Malformed
    Target(
        "gzip",
        lambda data: (data, _within(decode(data, GZIP_LIMIT))),
        lambda value: value[0],
        (encode(b"", 1), encode(b"x" * 900), encode(b"one") + encode(bytes(900)), MAGIC + encode(PLAIN.text)[2:]),
    ),
)
