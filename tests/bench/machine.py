"""What machine the figures are of, and what was installed on it: nothing that names it."""

from __future__ import annotations

import datetime
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tests.bench.peers import toolchain

PACKAGES = ("tiletree", "tiletree-native", "cryptography", "click", "obstore")


def machine() -> dict[str, str]:
    """Return what the machine is."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "processor": _first("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / (1 << 30):.0f} GiB",
        "kernel": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "go": toolchain(),
    } | {name: found for name in PACKAGES if (found := _version(name))}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _first(path: str, key: str) -> str:
    """Return what a file says of a key; "" if there is no such file."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")
