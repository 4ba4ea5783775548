"""Print the entries that a log has got since the last call, each of them verified.

    python examples/follow_a_log.py my-log VKEY position.txt

The log may be a directory or any URL that can be read. Each call proves that the log only grew since the last one.
How far the entries were printed is kept in position.txt, which need not be there at first.

`tiletree monitor` is this for many logs, with what it found kept exactly once (docs/recipes/monitor.md).
"""

import sys
from pathlib import Path

import tiles

url, vkey, position_file = sys.argv[1:]

position = Path(position_file)
start = int(position.read_text()) if position.exists() else 0

policy = tiles.policy_for(tiles.parse_vkey(vkey))
client = tiles.LogClient(tiles.open_log(url), policy, visits=tiles.Visits(), cache=tiles.TileCache())
try:
    stop = client.visit().signed.tree.size
    for index, entry in client.entries(min(start, stop), stop):
        print(f"{index}: {entry!r}")  # repr: an entry may hold any bytes, also those that move a cursor
except tiles.VerificationError as error:
    sys.exit(f"the log is wrong: {error.message}\n{error.hint}")
position.write_text(str(max(start, stop)))  # only now: whatever was not printed is printed by the next call
