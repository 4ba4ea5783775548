"""Begin a log in a directory, append entries, publish them, and write a proof for each.

    python examples/append_and_publish.py my-log "the first entry" "the second entry"

Run it again to append more: the key is kept beside the log, and the log goes on.
"""

import secrets
import sys
from pathlib import Path

import tiles

directory, *texts = sys.argv[1:]

key_file = Path(f"{directory}.key")
if not key_file.exists():
    tiles.write_key(key_file, tiles.signing_key("examples.example.com", secrets.token_bytes(32)))
key = tiles.read_key(key_file)

signer = tiles.Signer(key, tiles.anchor_store(key_file))
log = tiles.Log(tiles.public_store(directory), tiles.private_store(directory), signer)
log.create()  # begins the log; a log that has begun stays as it is
done = log.append([text.encode() for text in texts])  # returns once readers can see the entries

client = tiles.LogClient(tiles.open_log(directory), tiles.policy_for(key.verifier))
for index, text in enumerate(texts, done.first_index):
    proof_file = Path(f"{directory}-{index}.tlog-proof")
    proof_file.write_bytes(client.prove(index).data)
    print(f"entry {index} is {text!r}, its proof is {proof_file}")
print(f"the log has {done.checkpoint.tree.size} entries; its vkey is {key.verifier.vkey}")
