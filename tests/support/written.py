"""What a log has written, by part and path."""

from __future__ import annotations

from tests.support.world import World

DAY = 86_400.0
NOON = 1_700_006_400.0 - 1_700_006_400.0 % DAY + DAY / 2  # 2023-11-15 12:00 UTC


def public(world: World, path: str) -> bytes:
    """Return a public object."""
    return world.stores["public"].read(path).data


def paths(world: World, role: str, prefix: str = "") -> list[str]:
    """Return the paths in one part."""
    return [listed.path for listed in world.stores[role].list(prefix)]
