"""The table of what was computed of large logs. Pure: it imports nothing of the library."""

from __future__ import annotations

from typing import Any


def cells(found: list[dict[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Return the table."""
    heads = ["entries", "levels", "objects", "GB", "objects a batch", "µs an entry to plan", "MB to plan", "edge KB",
             "tiles a proof, most", "KB a proof", "CPU ms", "tiles, client kept", "CPU ms"]  # fmt: skip
    return heads, [
        [f"{row['entries']:,}", str(row["levels"]), f"{row['objects']:,}", f"{row['bytes'] / 1e9:,.1f}",
         str(row["written"]), f"{row['plan_us']:.2f}", f"{row['plan_peak'] / 1e6:.1f}",
         f"{row['edge_bytes'] / 1e3:.1f}", f"{row['tiles'][1]:.0f}, {row['tiles'][2]}",
         f"{row['bytes_read'][1] / 1e3:.0f}", f"{row['ms']:.2f}", f"{row['kept_tiles']:.2f}", f"{row['kept_ms']:.2f}"]
        for row in found
    ]  # fmt: skip
