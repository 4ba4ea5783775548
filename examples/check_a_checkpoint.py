"""Check the checkpoint of somebody else's log against a policy: who must have signed it, and who must have cosigned it.

    python examples/check_a_checkpoint.py checkpoint policy.txt

Both are files. A policy names the log's key, witnesses, and how many of them are enough (https://c2sp.org/tlog-policy).
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

import tiles
from tiles.notes.checkpoint import parse_signed_checkpoint

checkpoint_file, policy_file = sys.argv[1:]

policy = tiles.parse_policy(Path(policy_file).read_bytes())
try:
    accepted = policy.accept(parse_signed_checkpoint(Path(checkpoint_file).read_bytes()))
except tiles.LogError as error:
    sys.exit(f"not accepted: {error.message}")
print(f"{accepted.signed.origin} has {accepted.signed.tree.size} entries, signed by {accepted.log.name}")
for cosignature in accepted.cosignatures:
    when = datetime.fromtimestamp(cosignature.timestamp, UTC)
    print(f"cosigned by {cosignature.key.name} at {when:%Y-%m-%d %H:%M:%S} UTC")
