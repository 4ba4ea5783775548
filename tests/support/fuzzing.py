"""Damaged input for every parser, by a seeded generator from good input: `python -m tests.support.fuzzing 1000000`.

`… 1000000 SEED 0 2` is one of two halves of the same, for two processes.

The invariant: a parser returns a value or raises one of the errors that refuse (of most, `Malformed`), nothing else;
and what it returns formats to the very bytes it was given, so that no two texts mean the same.
"""

from __future__ import annotations

import random
import sys
import time

from tests.support.fuzz_admission import ADMISSION
from tests.support.fuzz_bundles import BUNDLES
from tests.support.fuzz_certificates import CERTIFICATES
from tests.support.fuzz_parsers import PARSERS, Target
from tests.support.fuzz_signatures import SIGNED
from tests.support.fuzz_signing import SIGNING
from tests.support.fuzz_verdicts import VERDICTS

TARGETS = (*PARSERS, *VERDICTS, *CERTIFICATES, *BUNDLES, *SIGNING, *SIGNED, *ADMISSION)

# what lenient parsers take for the same: signs, spaces, zeros, other digits, other line ends, other base64
_BITS = (
    b"+", b"-", b" ", b"_", b"0", b"\n", b"\r\n", b"\t", b"\0", b"=", b"/", b"\xc2\xa0", b"\xe2\x80\x94 ",
    b"\xef\xbb\xbf", "\u0665".encode(), b"18446744073709551616", b"-1", b"1e3", b"0x10", b"\xff", b"none", b"x",
    b"quorum none\n", b".p/7",
)  # fmt: skip


def damage(data: bytes, rng: random.Random) -> bytes:
    """Return data with one to three things done to it."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.randrange(len(data) + 1)
        to = min(len(data), at + rng.choice((0, 1, 1, 2, 8, 40)))
        kind = rng.randrange(8)
        if kind == 0:
            data = data[:at] + rng.choice(_BITS) + data[at:]
        elif kind == 1:
            data = data[:at] + rng.choice(_BITS) + data[to:]
        elif kind == 2:
            data = data[:at] + data[to:]
        elif kind == 3:
            data = data[:to] + data[at:]
        elif kind == 4 and at < len(data):
            data = data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
        elif kind == 5:
            lines = data.split(b"\n")
            i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
            lines[i], lines[j] = lines[j], lines[i]
            data = b"\n".join(lines)
        elif kind == 6:  # more of something than there may be
            lines = data.split(b"\n")
            i = rng.randrange(len(lines))
            data = b"\n".join([*lines[:i], *lines[i : i + 1] * rng.choice((2, 2, 3, 65, 130)), *lines[i + 1 :]])
        elif rng.randrange(2000) == 0:
            data = data[:at] + bytes([rng.choice(b"\0 0aA=\n")]) * (1 << 21) + data[at:]
        else:
            data = data[:at]
    return data


def fuzz(target: Target, count: int, seed: int) -> int:
    """Parse `count` damaged inputs, no two of them equal; return how many the parser accepted.

    Raises AssertionError with the input.
    """
    rng = random.Random(f"{seed} {target.name}")
    accepted = 0
    tried: set[bytes] = set()
    while len(tried) < count:
        data = damage(rng.choice(target.seeds), rng)
        if target.mend and len(tried) % 2:
            data = target.mend(data)
        if data in tried:
            continue
        tried.add(data)
        try:
            value = target.parse(data)
        except target.refusals:
            continue
        except Exception as error:
            raise AssertionError(f"{target.name}, seed {seed}: {type(error).__name__} for {data!r}: {error}") from error
        accepted += 1
        assert target.format(value) == data, f"{target.name}, seed {seed}: {data!r} is not canonical, and accepted"
    return accepted


def main() -> None:
    """Fuzz all parsers, so many inputs in total, or a share of the parsers."""
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(2**32)
    first, step = (int(sys.argv[3]), int(sys.argv[4])) if len(sys.argv) > 4 else (0, 1)
    for target in TARGETS[first::step]:
        started = time.perf_counter()
        accepted = fuzz(target, -(-total // len(TARGETS)), seed)
        print(f"{target.name}: {-(-total // len(TARGETS))} inputs, {accepted} accepted, seed {seed}, "
              f"{time.perf_counter() - started:.1f} s", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
