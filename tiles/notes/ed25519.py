"""Ed25519, verification only, in Python (https://www.rfc-editor.org/rfc/rfc8032, 5.1): where `cryptography` is not.

It signs nothing and sees no secret, so it need not take the same time for all inputs. It says what OpenSSL and
BoringSSL say, also where the specification leaves a choice: without the cofactor, R compared as bytes, S below the
order, any encoding of a key, of small order too. Decision 12 (docs/decisions) says why it is here.
"""

from __future__ import annotations

from hashlib import sha512

from tiles.errors import SignatureError

KEY_SIZE = 32  # bytes
SIGNATURE_SIZE = 64  # bytes: R and S

_Point = tuple[int, int, int, int]  # X, Y, Z, T with x = X/Z, y = Y/Z and x * y = T/Z (5.1.4)

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_SQRT_MINUS_1 = pow(2, (_P - 1) // 4, _P)
_Y_BITS = (1 << 255) - 1  # of an encoded point; the bit above says whether x is odd
_NEUTRAL: _Point = (0, 1, 1, 0)


def verify(public: bytes, message: bytes, signature: bytes) -> None:
    """Verify a signature (5.1.7). Raises SignatureError; also for what is no key, or no signature."""
    key = _decoded(public) if len(public) == KEY_SIZE and len(signature) == SIGNATURE_SIZE else None
    first, scalar = signature[:32], int.from_bytes(signature[32:], "little")
    if key is None or scalar >= _ORDER:
        raise SignatureError("no Ed25519 key, or no Ed25519 signature")
    challenge = int.from_bytes(sha512(first + public + message).digest(), "little") % _ORDER
    x, y, z, t = key
    # R = S * B - challenge * A: "it's sufficient, but not required," to leave out the cofactor
    if _encoded(_sum_of_products(scalar, _BASE, challenge, (_P - x, y, z, _P - t))) != first:
        raise SignatureError("wrong Ed25519 signature")


def _decoded(data: bytes) -> _Point | None:
    """Return the point that 32 bytes encode (5.1.3), y taken modulo p; None if there is none."""
    number = int.from_bytes(data, "little")
    is_odd, y = number >> 255, (number & _Y_BITS) % _P
    square, over = y * y - 1, _D * y * y + 1
    root = square * pow(over, 3, _P) * pow(square * pow(over, 7, _P), (_P - 5) // 8, _P) % _P
    if (over * root * root - square) % _P:
        root = root * _SQRT_MINUS_1 % _P
        if (over * root * root - square) % _P:
            return None
    x = _P - root if root % 2 != is_odd else root  # p where x is 0 and is said to be odd, which OpenSSL takes for 0
    return x % _P, y, 1, x * y % _P


def _encoded(point: _Point) -> bytes:
    x, y, z, _ = point
    inverse = pow(z, -1, _P)
    return (y * inverse % _P | (x * inverse % _P & 1) << 255).to_bytes(32, "little")


def _added(one: _Point, other: _Point) -> _Point:
    """Return the sum of two points; the formulas hold for equal ones too (5.1.4)."""
    x1, y1, z1, t1 = one
    x2, y2, z2, t2 = other
    a, b = (y1 - x1) * (y2 - x2) % _P, (y1 + x1) * (y2 + x2) % _P
    c, d = 2 * t1 * t2 * _D % _P, 2 * z1 * z2 % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _sum_of_products(one: int, first: _Point, other: int, second: _Point) -> _Point:
    """Return one * first + other * second, by one pass over the bits of both numbers."""
    both = _added(first, second)
    total = _NEUTRAL
    for bit in range(max(one.bit_length(), other.bit_length()) - 1, -1, -1):
        total = _added(total, total)
        chosen = (one >> bit & 1) + 2 * (other >> bit & 1)
        if chosen:
            total = _added(total, (first, second, both)[chosen - 1])
    return total


def _base() -> _Point:
    point = _decoded((4 * pow(5, -1, _P) % _P).to_bytes(32, "little"))
    assert point is not None  # noqa: S101  y of the base is 4/5, and x is even
    return point


_BASE = _base()
