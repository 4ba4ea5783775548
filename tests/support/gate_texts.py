"""Gates for tests, and the page that has their format."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "recipes" / "gate.md"
((EXAMPLE),) = re.findall(r"^```gate\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)

WORKFLOW, ISSUER = "https://github.com/e/a/.github/workflows/r.yml@refs/tags/v1", "https://token.example.com"
FINGERPRINT = "0a" * 32
GOOD = (
    f"# remark\n\n  a*  {WORKFLOW}  {ISSUER}\na* key {FINGERPRINT} https://slsa.dev/provenance/v1\n* key s.pub\n"
).encode()
