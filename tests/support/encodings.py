"""Content-Encoding as servers and stores send it: what a reader undoes, and what it refuses."""

from __future__ import annotations

from tests.support.fault_server import gzip

# the header → how many times the object is gzip-encoded
READ = {
    "": 0,
    "identity": 0,
    "aws-chunked": 0,
    "AWS-Chunked": 0,
    "identity, aws-chunked": 0,
    ",": 0,
    "gzip": 1,
    "X-GZIP": 1,
    "gzip,aws-chunked": 1,
    "aws-chunked, gzip": 1,
    "aws-chunked,x-gzip,aws-chunked": 1,
    "gzip, identity": 1,
    " gzip\t,": 1,
    "gzip, gzip": 2,
    "x-gzip,aws-chunked,gzip": 2,
}

# the header → the encoding that is named
REFUSED = {
    "br": "br",
    "deflate": "deflate",
    "zstd, gzip": "zstd",
    "gzip;q=1": "gzip;q=1",
    "gzip,compress": "compress",
    "aws-chunked,aes128gcm": "aes128gcm",
    "gzip aws-chunked": "gzip aws-chunked",
}


def encoded(data: bytes, times: int) -> bytes:
    """Return data, gzip-encoded so many times."""
    for _ in range(times):
        data = gzip(data)
    return data
