"""Envelopes: a payload, its type, and a signature over both (https://github.com/secure-systems-lab/dsse, envelope.md,
protocol.md).

    {"payload":"<base64>","payloadType":"<type>","signatures":[{"sig":"<base64>"}]}

An envelope has exactly one signature here: Rekor v2 logs one signature an entry, and a second one would be of nobody
whom the log knows.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tiles.errors import Malformed, UsageError
from tiles.notes.encoding import encode_base64
from tiles.sigstore.json_text import Item, parse_item

MAX_ENVELOPE_SIZE = 32 << 20  # bytes; a large list of components has some megabytes

_WHAT = "DSSE envelope"
_PAE = re.compile(rb"DSSEv1 ([0-9]{1,4}) ")
_MAX_TYPE = 512  # characters
_MAX_SIGNATURES = 16  # that are counted, to say how many there are


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope; nothing about it is verified.

    payload_type   such as "application/vnd.in-toto+json"
    payload        what is signed together with its type
    signature      over `pae` of both
    key_id         what the signer calls the key, a hint that nothing is based on; "" if nothing is said
    """

    payload_type: str
    payload: bytes = field(repr=False)
    signature: bytes
    key_id: str = ""

    @property
    def signed(self) -> bytes:
        """What the signature is over."""
        return pae(self.payload_type, self.payload)

    @property
    def item(self) -> dict[str, Any]:
        """The envelope as a JSON value, as it stands in a bundle."""
        signature = {"sig": encode_base64(self.signature), **({"keyid": self.key_id} if self.key_id else {})}
        return {
            "payload": encode_base64(self.payload),
            "payloadType": self.payload_type,
            "signatures": [signature],
        }

    @property
    def data(self) -> bytes:
        """The envelope as a file."""
        return json.dumps(self.item, separators=(",", ":")).encode("ascii")


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return what is signed of a payload and its type (protocol.md, "Signature Definition")."""
    type_ = payload_type.encode("utf-8")
    return b"DSSEv1 %d %s %d %s" % (len(type_), type_, len(payload), payload)


def parse_pae(data: bytes) -> tuple[str, bytes]:
    """Return type and payload of what `pae` gives. Raises Malformed for anything else."""
    if match := _PAE.match(data):
        end = match.end() + int(match[1])
        type_, payload = data[match.end() : end], data[end + 1 :].partition(b" ")[2]
        with suppress(UnicodeDecodeError):
            if pae(type_.decode("utf-8"), payload) == data:
                return type_.decode("utf-8"), payload
    raise Malformed(_WHAT, "not the encoding that is signed", data[:80])


def parse_envelope(data: bytes) -> Envelope:
    """Return the envelope in a file. Verifies nothing. Raises Malformed."""
    return envelope_in(parse_item(data, _WHAT, MAX_ENVELOPE_SIZE))


def envelope_in(item: Item) -> Envelope:
    """Return the envelope that a JSON object is, in a bundle or alone. Raises Malformed.

    envelope.md: base64 is of "either the standard or URL-safe encoding", and verifiers take both.
    """
    item.only("payload", "payloadType", "signatures")
    signatures = item.objects("signatures", _MAX_SIGNATURES)
    if len(signatures) != 1:
        raise Malformed(_WHAT, f"{len(signatures)} signatures; a log's entry is of exactly one")
    signature = signatures[0].only("sig", "keyid")
    payload_type = item.text("payloadType")
    try:
        made = Envelope(payload_type, item.data_any("payload"), signature.data_any("sig"), signature.text("keyid", ""))
        made.signed  # noqa: B018  a type that UTF-8 cannot encode
    except UnicodeEncodeError:
        raise Malformed(_WHAT, "half a surrogate pair in payloadType", payload_type) from None
    if not made.signature or not 1 <= len(payload_type) <= _MAX_TYPE:
        raise Malformed(_WHAT, f"no signature, or not a payloadType of 1 to {_MAX_TYPE} characters", payload_type)
    return made


def make_envelope(payload_type: str, payload: bytes, signature: bytes) -> Envelope:
    """Return an envelope that `parse_envelope` reads. Raises UsageError if it could not."""
    made = Envelope(payload_type, payload, signature)
    try:
        return parse_envelope(made.data)
    except Malformed as error:
        raise UsageError(error.message) from None
