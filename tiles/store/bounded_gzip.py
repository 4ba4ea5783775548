"""gzip (https://www.rfc-editor.org/rfc/rfc1952), decoded with a limit and encoded without a clock. Pure.

A log's entry bundles may be stored, and sent, in it (https://c2sp.org/tlog-tiles, "Log entries").
"""

from __future__ import annotations

import zlib

from tiles.errors import Malformed

MAGIC = b"\x1f\x8b"  # §2.3.1: ID1, ID2

_PIECE = 4096  # bytes; zlib copies what of a piece is after the end of a member, and a member may have 20 bytes
_GZIP = 16 + zlib.MAX_WBITS  # wbits of zlib: a gzip header, and its largest window


def encode(data: bytes, level: int = 6) -> bytes:
    """Return data as one gzip member whose MTIME is 0, 0 ≤ level ≤ 9: the same bytes whenever it is called.

    Another version of zlib may write other bytes, so encoded data must never be compared.
    """
    encoder = zlib.compressobj(level, wbits=_GZIP)
    return encoder.compress(data) + encoder.flush()


def decode(data: bytes, limit: int) -> bytes:
    """Return what gzip data, all of it, decodes to.

    Raises Malformed if it is not gzip, is cut short, or decodes to more than `limit` bytes; no more is ever decoded.
    """
    decoder = Gunzip()
    decoded = decoder.decode(data, limit)
    if len(decoded) > limit:
        raise Malformed("gzip", f"decodes to more than {limit} bytes")
    if not decoder.is_complete:
        raise Malformed("gzip", f"cut short, {len(data)} bytes in all")
    return decoded


def on_wire(limit: int) -> int:
    """Return how long `limit` bytes may be when gzip-encoded: gzip makes incompressible data a little longer."""
    return limit + limit // 512 + 4096


class Gunzip:
    """Decodes a stream, member by member, never much beyond what is asked for."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=_GZIP)

    @property
    def is_complete(self) -> bool:
        """Whether a member ends where the data so far ends (§2.2)."""
        return self._member.eof

    def decode(self, data: bytes, limit: int) -> bytes:
        """Return what the next bytes decode to; where that is more than `limit` bytes, its first limit + 1.

        Raises Malformed if they are not gzip.
        """
        decoded = bytearray()
        view = memoryview(data)
        at = 0
        try:
            while at < len(view) and len(decoded) <= limit:
                if self._member.eof:
                    self._member = zlib.decompressobj(wbits=_GZIP)
                piece = view[at : at + _PIECE]
                decoded += self._member.decompress(piece, limit + 1 - len(decoded))
                at += len(piece) - len(self._member.unconsumed_tail or self._member.unused_data)
        except zlib.error:
            raise Malformed("gzip", "the bytes are not gzip") from None
        return bytes(decoded)
