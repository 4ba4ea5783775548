"""Keys of build records: an entry like {"build": "1234", "commit": "ab12…"} is found by its number and its commit.

pip install examples/keys_of_builds
tiletree index build ./log --kind acme.build/1
tiletree search ./log --kind acme.build/1=1234
"""

import json
from collections.abc import Iterator


def values(entry: bytes) -> Iterator[bytes]:
    """Yield the values by which an entry is found. Whatever is raised means: this entry has none, and is counted."""
    if not entry.startswith(b"{"):
        return  # no build record: not found by this kind of keys, and no error
    record = json.loads(entry)
    for field in ("build", "commit"):
        yield record[field].encode()
