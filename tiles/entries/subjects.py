"""What an attestation is about, if it is logged as it is; docs/index-format.md, "Attestations".

An entry is found by the subjects of an in-toto statement (https://github.com/in-toto/attestation, spec/v1/statement.md)
that it is, or that is in the DSSE envelope that it is. JavaScript reads the same entries alike, with a parser of its
own: so where an object has a name twice, the last one counts, and depth is bounded by what can be counted in the text.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tiles.errors import Malformed
from tiles.notes.encoding import decode_base64
from tiles.notes.index_head import MAX_KEYS
from tiles.sigstore.in_toto import PAYLOAD_TYPE, STATEMENT_V0, STATEMENT_V1

_MAX_DEPTH = 32  # brackets that are open
_ALGORITHMS = ("sha256", "sha384", "sha512", "sha1", "gitCommit")
_DIGEST = re.compile("(?:[0-9a-fA-F]{2}){20,64}", re.ASCII)
_BRACKET = re.compile(r"[\[\]{}]")


def subjects_in(entry: bytes) -> list[bytes]:
    """Return the digests of an attestation's subjects, each once, at most MAX_KEYS; [] for any other entry."""
    found = _parse(entry)
    if found.get("payloadType") == PAYLOAD_TYPE and isinstance(found.get("payload"), str):
        try:
            found = _parse(decode_base64(found["payload"], "payload"))
        except Malformed:
            return []
    subjects = found.get("subject")
    if found.get("_type") not in (STATEMENT_V0, STATEMENT_V1) or not isinstance(subjects, list):
        return []
    digests = [each["digest"] for each in subjects if isinstance(each, dict) and isinstance(each.get("digest"), dict)]
    values = [digest.get(algorithm) for digest in digests for algorithm in _ALGORITHMS]
    texts = [value for value in values if isinstance(value, str) and _DIGEST.fullmatch(value)]
    return list(dict.fromkeys(map(bytes.fromhex, texts)))[:MAX_KEYS]


def _parse(data: bytes) -> dict[str, Any]:
    """Return a JSON object, {} for anything else; its numbers are all 0."""
    if not data.startswith(b"{"):
        return {}
    try:
        text = data.decode("utf-8")
        if _depth(text) > _MAX_DEPTH:
            return {}
        found = json.loads(text, parse_int=_zero, parse_float=_zero, parse_constant=_no_constant)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _depth(text: str) -> int:
    """Return how many brackets are open at most, those in strings counted too."""
    most = depth = 0
    for bracket in _BRACKET.findall(text):
        depth += 1 if bracket in "[{" else -1
        most = max(most, depth)
    return most


def _zero(_number: str) -> int:
    return 0


def _no_constant(name: str) -> int:
    raise ValueError(name)  # NaN and Infinity are no JSON
