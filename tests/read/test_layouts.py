"""Which format a log has is found by what is there; and nothing is asked for a log that is plainly of tlog-tiles."""

from __future__ import annotations

from tests.support.other_logs import ct_checkpoint, static_ct, sumdb
from tests.support.readers import Objects, make_log
from tiles.notes.checkpoint import parse_signed_checkpoint
from tiles.read.layouts import LAYOUTS, STATIC_CT, SUMDB, name_of, with_checkpoint, without_checkpoint
from tiles.read.log_formats import TLOG_TILES


def test_without_a_checkpoint() -> None:
    """`latest` is that of a checksum database, if it is a checkpoint."""
    assert without_checkpoint(Objects(sumdb(3))) is SUMDB
    assert without_checkpoint(Objects({"latest": b"<html>"})) is None
    assert without_checkpoint(Objects({})) is None


def test_with_a_checkpoint() -> None:
    """A log of certificates has data tiles; a copy of it in the format of mirrors has bundles; others are not asked."""
    objects = static_ct(300)
    signed = parse_signed_checkpoint(objects["checkpoint"])
    assert with_checkpoint(Objects(objects), signed) is STATIC_CT
    mirrored = {path.replace("tile/data/", "tile/entries/"): data for path, data in objects.items()}
    assert with_checkpoint(Objects(mirrored), signed) is TLOG_TILES
    assert with_checkpoint(Objects({}), signed) is STATIC_CT
    ours = Objects(make_log(300))
    assert with_checkpoint(ours, parse_signed_checkpoint(ours.objects["checkpoint"])) is TLOG_TILES
    assert ours.asked == []
    other = parse_signed_checkpoint(ct_checkpoint(signed.tree, "other.example.com"))
    assert with_checkpoint(Objects(objects), other) is STATIC_CT


def test_names() -> None:
    """Each format has the name that --layout takes."""
    assert [name_of(one) for one in LAYOUTS.values()] == list(LAYOUTS)
