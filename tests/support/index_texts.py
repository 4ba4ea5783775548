"""Index heads, and texts that nearly are; runs computed slowly, from docs/index-format.md alone."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from tests.support.reference import split

EMPTY = sha256(b"").digest()
MAX_COVERED = 2**48


def slow_live_runs(covered: int) -> list[tuple[int, int]]:
    """Return the live runs of a covered size: units from left to right, each the largest that fits, by level."""
    runs, at = dict[int, int](), 0
    while at < covered:
        level = max(level for level in range(19) if at % (4096 * 4**level) == 0 and at + 4096 * 4**level <= covered)
        runs[level] = at // (4096 * 4**level)
        at += 4096 * 4**level
    return list(runs.items())


def slow_range(level: int, number: int) -> tuple[int, int]:
    """Return the first entry that a run covers, and the one after its last: all units since one of the next level."""
    first, unit = number, 4096 * 4**level
    while first * unit % (4 * unit):
        first -= 1
    return first * unit, (number + 1) * unit


def tree_hash(leaves: list[bytes]) -> bytes:
    """Return MTH(D) of RFC 6962, section 2.1."""
    if len(leaves) < 2:
        return sha256(b"\0" + leaves[0]).digest() if leaves else EMPTY
    middle = split(len(leaves))
    return sha256(b"\1" + tree_hash(leaves[:middle]) + tree_hash(leaves[middle:])).digest()


def slow_record(kind: str, value: bytes, index: int) -> bytes:
    """Return a record."""
    if kind == "leaf/1":
        return value[:10] + index.to_bytes(6, "big")
    return sha256(kind.encode() + b"\0" + value).digest()[:10] + index.to_bytes(6, "big")


def slow_root(records: list[bytes]) -> bytes:
    """Return the root of a run: the tree hash of its pages of 256 records."""
    return tree_hash([b"".join(records[at : at + 256]) for at in range(0, len(records), 256)])


def run_line(level: int, number: int, records: int = 1, root: bytes = bytes(32)) -> str:
    """Return a run's line in a head."""
    return f"{level} {number} {records} {b64encode(root).decode()}"


def head(
    *runs: str, title: str = "tiletree/index/v1", origin: str = "log.example.com", kind: str = "leaf/1",
    covered: object = None, root: bytes = bytes(32),
) -> bytes:  # fmt: skip
    """Return the text of an index head; covered: by default what the runs cover."""
    if covered is None:
        covered = sum(stop - first for first, stop in (slow_range(*map(int, run.split(" ")[:2])) for run in runs))
    lines = (title, origin, kind, str(covered), b64encode(root).decode(), *runs)
    return "".join(f"{line}\n" for line in lines).encode()


_TWO = (run_line(1, 0), run_line(0, 4))

HEADS = {
    "nothing covered": head(root=EMPTY),
    "one run": head(run_line(0, 0)),
    "two levels": head(*_TWO),
    "an empty run": head(run_line(0, 0, 0, EMPTY)),
    "three units": head(run_line(0, 2, 64 * 3 * 4096)),
    "as many records as there can be": head(run_line(1, 0, 64 * 4096 * 4)),
    "the largest": head(run_line(18, 0), covered=MAX_COVERED),
    "the longest": head(*(run_line(*run) for run in slow_live_runs(MAX_COVERED - 4096))),
    "an application's kind": head(run_line(0, 0), kind="acme.build/1"),
    "the longest kind": head(run_line(0, 0), kind=f"{'a' * 28}/999"),
    "an origin that is a number": head(run_line(0, 0), origin="4096"),
    "an odd origin": head(run_line(0, 0), origin="— ö"),
}
NOT_HEADS = {
    "nothing": b"",
    "a checkpoint": b"tiletree/index/v1\n5\n" + b64encode(bytes(32)) + b"\n",
    "a longer checkpoint": b"tiletree/index/v1\n5\n%b\n4096\n%b\n" % (b64encode(bytes(32)), b64encode(bytes(32))),
    "another title": head(run_line(0, 0), title="tiletree/index/v2"),
    "no origin": head(run_line(0, 0), origin=""),
    "no root": head()[:-45],
    "not the live runs": head(*(run_line(0, number) for number in range(4))),
    "runs in another order": head(*reversed(_TWO)),
    "a run too many": head(*_TWO, run_line(0, 5), covered=20480),
    "a run too few": head(_TWO[0], covered=20480),
    "a run twice": head(run_line(0, 0), run_line(0, 0)),
    "another run": head(run_line(0, 1), covered=4096),
    "no multiple": head(run_line(0, 0), covered=4097),
    "less than a run": head(covered=4095),
    "too many entries": head(run_line(18, 0), run_line(0, 4**18), covered=MAX_COVERED + 4096),
    "a level too high": head(run_line(19, 0), covered=4096 * 4**19),
    "a level far too high": head(run_line(0, 0).replace("0 0", "9223372036854775807 0", 1), covered=4096),
    "too many records": head(run_line(0, 0, 64 * 4096 + 1)),
    "records without a root": head(run_line(0, 0, 1, EMPTY)),
    "a root without records": head(run_line(0, 0, 0)),
    "a root that is short": head(run_line(0, 0, 1, bytes(31))),
    "a root of nothing": head(),
    "negative": head(run_line(0, 0).replace("0 0", "-0 0", 1), covered=4096),
    "leading zero": head(run_line(0, 0), covered="04096"),
    "a run of three": head("0 0 1", covered=4096),
    "a run of five": head(f"{run_line(0, 0)} 0", covered=4096),
    "two spaces": head(run_line(0, 0).replace(" ", "  ", 1), covered=4096),
    "no newline": head(run_line(0, 0))[:-1],
    "one more newline": head(run_line(0, 0)) + b"\n",
    "an empty line": head(run_line(0, 0)).replace(b"leaf/1\n", b"leaf/1\n\n"),
    "carriage returns": head(run_line(0, 0)).replace(b"\n", b"\r\n"),
    "not UTF-8": head(run_line(0, 0)).replace(b"log", b"\xff"),
    "too long": head(run_line(0, 0), origin="x" * (16 << 10)),
    **{
        f"kind {kind}": head(run_line(0, 0), kind=kind)
        for kind in ("", "leaf", "leaf/", "leaf/0", "leaf/01", "leaf/1000", "Leaf/1", "/1", "1leaf/1", "a..b/1", ".a/1",
                     "a./1", "a b/1", "leaf/1/1", "../1", f"{'a' * 29}/999", "léaf/1", "leaf/\u0661")
    },
}  # fmt: skip
