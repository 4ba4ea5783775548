"""What a million entries cost in a bucket, by the requests that `tiles.cost` counts and the prices that it assumes."""

from __future__ import annotations

from typing import Any

from tests.bench.publish import BATCHES
from tiles.cost.month import ASSUMED_ON, assumed
from tiles.cost.requests import Requests, Setup, add

BASE = 1 << 20  # entries that the log has before
MILLION = 1_000_000


def cost_parts() -> list[dict[str, Any]]:
    """Return the requests of a million entries of lines, and what they cost, by the size of batches."""
    setup = Setup(once=False, kinds=(1, 0, 0, 0))
    prices = assumed("aws")
    rows = []
    for batch in BATCHES:
        total = Requests()
        for base in range(BASE, BASE + MILLION, batch):
            total += add(setup, base, min(batch, BASE + MILLION - base))
        dollars = (total.put + total.list) * prices["put-1000"] / 1000 + total.get * prices["get-1000"] / 1000
        rows.append({"batch": batch, "put": round(total.put), "get": round(total.get), "dollars": round(dollars, 4)})
    return [{"work": "a million entries in a bucket", "assumed_on": ASSUMED_ON, "costs": rows}]
