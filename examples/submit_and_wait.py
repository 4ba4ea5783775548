"""Submit an entry to a log whose key one does not have, and wait until it is logged.

    python examples/submit_and_wait.py my-log ann "please log this" VKEY

The submitter needs permission to create below inbox/ann/ of the log's private part, and no other permission there.
Meanwhile whoever has the key runs `tiletree sequence my-log`, or `sequence` of `tiles.Log`.
"""

import secrets
import sys

import tiles

log, submitter, text, vkey = sys.argv[1:]

client = tiles.LogClient(tiles.open_log(log), tiles.policy_for(tiles.parse_vkey(vkey)))
size_before = client.visit().signed.tree.size  # the entry cannot be before this index

receipt = tiles.submit(tiles.inbox_store(log), submitter, [text.encode()], secrets.token_bytes(16), log=log)
print(f"submitted as {receipt.name.path}", flush=True)
try:
    (index,) = tiles.wait_until_logged(client, receipt, size_before, timeout=60.0)
except tiles.Refused as error:
    sys.exit(f"{error.message}\n{error.hint}")
print(f"logged as entry {index}")
