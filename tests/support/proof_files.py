"""Files of proofs, as they may be and as they may not."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

from tests.support.reference import full_tree
from tests.support.signed_text import LOG, ORIGIN, TREE, W1, W2, signed
from tiles.notes.checkpoint import Checkpoint
from tiles.notes.policy import parse_policy, policy_for
from tiles.notes.tlog_proof import MAX_HASHES, MAX_PROOF_SIZE, TlogProof
from tiles.tree.merkle import MAX_TREE_SIZE

POLICY = policy_for(LOG.verifier)
QUORUM = parse_policy(
    f"log {LOG.verifier.vkey}\nwitness w1 {W1.verifier.vkey}\nwitness w2 {W2.verifier.vkey}\n"
    "group both all w1 w2\nquorum both\n".encode()
)
LOG_OF_7 = full_tree(7)
CHECKPOINT = Checkpoint(ORIGIN, LOG_OF_7.head(7))
SIGNED = signed(CHECKPOINT, LOG)
PROOF = TlogProof(5, tuple(LOG_OF_7.path(5, 7)), SIGNED)
LEAF = LOG_OF_7.leaf(5)
WRONG_PROOFS = [
    replace(PROOF, index=7),
    replace(PROOF, index=MAX_TREE_SIZE - 1),
    replace(PROOF, hashes=()),
    replace(PROOF, hashes=PROOF.hashes[1:]),
    replace(PROOF, hashes=PROOF.hashes + PROOF.hashes[:1]),
    replace(PROOF, hashes=PROOF.hashes[::-1]),
    replace(PROOF, checkpoint=signed(replace(CHECKPOINT, tree=TREE), LOG)),
]
DATA = PROOF.data.decode()
HASH = b64encode(PROOF.hashes[0]).decode()
MALFORMED = {
    "tlog-proof: no empty line before the checkpoint": {
        "nothing": "",
        "header only": "c2sp.org/tlog-proof@v1\n",
        "no checkpoint": DATA.partition("\n\n")[0],
    },
    "tlog-proof: lines end in CR LF": {
        "carriage returns": DATA.replace("\n", "\r\n"),
    },
    "tlog-proof: a byte order mark before the first line": {
        "byte order mark": f"\ufeff{DATA}",
    },
    "signed note: no blank line between text and signatures": {
        "empty checkpoint": DATA.partition("\n\n")[0] + "\n\n",
    },
    "tlog-proof hash: not canonical base64:": {
        "no empty line": DATA.replace("\n\n", "\n", 1),
        "index twice": DATA.replace("index 5\n", "index 5\nindex 5\n"),
        "extra after the index": DATA.replace("index 5", "index 5\nextra AAAA"),
        "hash with a space": DATA.replace(HASH, HASH + " "),
    },
    "checkpoint: not at least three lines, none of them empty": {
        "two empty lines": DATA.replace("\n\n", "\n\n\n", 1),
    },
    "tlog-proof: the first line is not c2sp.org/tlog-proof@v1:": {
        "another version": DATA.replace("@v1", "@v2"),
        "no header": DATA.partition("\n")[2],
        "empty line first": "\n" + DATA,
        "space after the header": DATA.replace("@v1", "@v1 "),
    },
    "tlog-proof: no index line where there must be one:": {
        "no index": DATA.replace("index 5\n", ""),
        "no index, an extra": DATA.replace("index 5", "extra AAAA"),
        "index after the hashes": DATA.replace("index 5\n", "").replace("\n\n", "\nindex 5\n\n", 1),
        "index in upper case": DATA.replace("index", "Index"),
        "extra without a space": DATA.replace("index 5", "extra\nindex 5"),
        "extra twice": DATA.replace("index 5", "extra AAAA\nextra AAAA\nindex 5"),
    },
    "tlog-proof index: not a decimal number without sign and leading zeros:": {
        "index without a number": DATA.replace("index 5", "index "),
        "index +5": DATA.replace("index 5", "index +5"),
        "index 05": DATA.replace("index 5", "index 05"),
        "index  5_0": DATA.replace("index 5", "index  5_0"),
        "index -1": DATA.replace("index 5", "index -1"),
        "index ٥": DATA.replace("index 5", "index ٥"),
        "index of 10,000 digits": DATA.replace("index 5", "index " + "5" * 10_000),
    },
    "tlog-proof index: number above 9223372036854775806:": {
        "index 2^63 - 1": DATA.replace("index 5", f"index {2**63 - 1}"),
    },
    "tlog-proof: control character:": {
        "index with a tab": DATA.replace("index 5", "index\t5"),
        "control character": DATA.replace("index", "in\0dex"),
    },
    "tlog-proof: not in canonical form": {
        "empty extra": DATA.replace("index 5", "extra \nindex 5"),
    },
    "tlog-proof extra data: not canonical base64:": {
        "extra not padded": DATA.replace("index 5", "extra AA\nindex 5"),
        "extra with bits left over": DATA.replace("index 5", "extra AB==\nindex 5"),
    },
    "hash: 31 bytes instead of 32:": {
        "hash of 31 bytes": DATA.replace(HASH, b64encode(bytes(31)).decode()),
    },
    "hash: 33 bytes instead of 32:": {
        "hash of 33 bytes": DATA.replace(HASH, b64encode(bytes(33)).decode()),
    },
    "hash: 3 bytes instead of 32:": {
        "hash of 3 bytes": DATA.replace(HASH, "AAAA"),
    },
    "hash: 48 bytes instead of 32:": {
        "hash in hexadecimal": DATA.replace(HASH, PROOF.hashes[0].hex()),
    },
    "tlog-proof: more than 63 hashes:": {
        "64 hashes": DATA.replace(HASH, "\n".join([HASH] * (MAX_HASHES - 1))),
    },
    "signature line: not — <key name> <base64>:": {
        "checkpoint without signatures": DATA.rpartition("— ")[0],
        "something after the checkpoint": DATA + "\n",
    },
    "checkpoint size: not a decimal number without sign and leading zeros:": {
        "checkpoint with a broken size": DATA.replace("\n7\n", "\n07\n"),
    },
    "tlog-proof: more than 1056768 bytes:": {
        "too long": DATA.replace("index", f"extra {'AAAA' * (MAX_PROOF_SIZE // 4)}\nindex"),
    },
}
