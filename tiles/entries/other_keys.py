"""By what entries of other people's logs are found: names that certificates are for, modules, and digests of the bytes.

    static-ct    dns      a domain, lower-case, of the subject or of its alternative names
    sumdb        module   a module and version, as `get` takes it: golang.org/x/mod@v0.36.0

Which keys an entry has follows from the log's format, as in `other_logs`: bytes that look like an entry of ours are
none there. `dns` and `module` have no version, because they are no keys of docs/index-format.md: no index has them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from tiles.entries.file_kinds import DIGESTS
from tiles.entries.kind import LEAF, Key
from tiles.entries.other_logs import parsed_certificate
from tiles.notes.index_head import MAX_KEYS, is_local
from tiles.records.layout_names import STATIC_CT, SUMDB, TLOG_TILES
from tiles.tree.ct_bundle import parse_ct_entry
from tiles.tree.merkle import leaf_hash

DNS, MODULE = "dns", "module"
FOREIGN_KINDS = (DNS, MODULE)

Values = Callable[[bytes], Sequence[bytes] | None]  # of the keys of one kind that an entry has; None: not readable


def values_in(layout: str, kind: str) -> Values | None:
    """Return what computes the values of an entry's keys of one kind; None if entries of such logs have none.

    layout   the name of the log's format
    """
    if layout != TLOG_TILES and (found := _FOUND_BY[layout].get(kind)):
        return found
    if kind in FOREIGN_KINDS or (layout != TLOG_TILES and not is_local(kind)):
        return None
    from tiles.entries.key_kinds import values_by  # slow to import, and seldom for other logs

    return values_by(kind)


def kinds_in(layout: str) -> tuple[str, ...]:
    """Return the kinds of keys by which entries of a log of another format are found, beside those of applications."""
    return tuple(_FOUND_BY[layout])


def keys_in(layout: str, entry: bytes) -> list[Key]:
    """Return the keys by which an entry is found, of each kind the first MAX_KEYS.

    Raises Malformed for an entry of tlog-tiles that has more bytes than it can have.
    """
    if layout == TLOG_TILES:
        from tiles.entries.kinds import keys_of  # slow to import, and not for other logs

        return keys_of(entry)
    return [
        Key(kind, value) for kind, values in _FOUND_BY[layout].items() for value in (values(entry) or ())[:MAX_KEYS]
    ]


def _domains(entry: bytes) -> Sequence[bytes] | None:
    """Return the domains that a certificate is for; None for one that cannot be parsed."""
    from cryptography import x509  # slow to import

    try:
        certificate = parsed_certificate(parse_ct_entry(entry))
        names = [str(each.value) for each in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
        with suppress(x509.ExtensionNotFound):
            others = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            names += others.get_values_for_type(x509.DNSName)
    except Exception:  # noqa: BLE001  logs take certificates that no parser of ours has to like
        return None
    return [name.lower().encode("utf-8", "replace") for name in dict.fromkeys(names)]


def _modules(entry: bytes) -> Sequence[bytes] | None:
    """Return which versions of which modules a record is of; None for one that cannot be parsed."""
    lines = [line.split(b" ") for line in entry.splitlines()]
    found = [b"@".join((line[0], line[1].removesuffix(b"/go.mod"))) for line in lines if len(line) == 3]
    return list(dict.fromkeys(found)) or None


def _digest(digest: Callable[[bytes], Any], entry: bytes) -> Sequence[bytes]:
    return [digest(entry).digest()]


_BYTES: dict[str, Values] = {
    LEAF: lambda entry: [leaf_hash(entry)],
    **{kind: partial(_digest, digest) for kind, digest in DIGESTS.items()},
}
_FOUND_BY: dict[str, dict[str, Values]] = {
    STATIC_CT: {DNS: _domains, **_BYTES},
    SUMDB: {MODULE: _modules, **_BYTES},
}
