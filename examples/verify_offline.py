"""Verify, without a network, that an entry is in a log.

    python examples/verify_offline.py my-log-0.tlog-proof "the first entry" VKEY

The vkey comes from whoever runs the log, by a way that nobody can change; it never comes from the proof.
"""

import sys
from pathlib import Path

import tiles

proof_file, text, vkey = sys.argv[1:]

policy = tiles.policy_for(tiles.parse_vkey(vkey))
try:
    proof = tiles.parse_tlog_proof(Path(proof_file).read_bytes())
    accepted = tiles.verify_tlog_proof(proof, tiles.leaf_hash(text.encode()), policy)
except tiles.LogError as error:  # verification raises, it never returns False
    sys.exit(f"not verified: {error.message}")
print(f"verified: entry {proof.index} of {accepted.signed.tree.size} in {accepted.signed.origin}")
