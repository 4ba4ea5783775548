"""Reading part of an object of a bucket, through obstore.

The library below checks that the answer has the bytes that were asked for. What it cannot make a part of, because the
store answers with the whole object, with another part, or that there is no such part, is read whole by the caller.
"""

from __future__ import annotations

from typing import Any

import obstore

from tiles.errors import NotFound, TooLong
from tiles.store import Part
from tiles.store.bucket_errors import DENIED, NO_CONNECTION, is_nowhere, status, trouble
from tiles.store.content_encoding import is_plain

_NO_SUCH_PART = "416"


def part_of(client: Any, url: str, path: str, span: tuple[int, int], size: int) -> Part | None:
    """Return the bytes of an object from here to there; None if the whole has to be read.

    client   obstore's store; url: where it is, as it may be shown
    Raises NotFound; AccessError; TooLong for an object of more than `size` bytes.
    """
    try:
        got = obstore.get(client, path, options={"range": span})
        if not is_plain(got.attributes.get("Content-Encoding", "")):
            return None  # part of what is encoded: nobody can decode it
        if got.meta["size"] > size:
            raise TooLong(f"{url}/{path}: longer than {size} bytes")
        return Part(got.range[0], bytes(got.bytes()))
    except TooLong:
        raise
    except FileNotFoundError as error:
        if is_nowhere(error):
            raise trouble(url, "read", path, error) from None
        raise NotFound(f"{url}/{path}: not found") from None
    except Exception as error:  # noqa: BLE001  its text may be secret
        if isinstance(error, DENIED) or status(error) not in ("", _NO_SUCH_PART) or NO_CONNECTION in str(error):
            raise trouble(url, "read", path, error) from None
        return None
