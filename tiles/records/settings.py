"""Settings of a log, `settings` in its private part: how objects are stored, and which version tried that out.

    tiletree-settings/v1\\n
    probed <version>\\n      of tiletree that found that both parts keep conditions on writes
    gzip yes|no\\n           whether entry bundles are stored gzip-encoded
    lock-days <n>\\n         for how many days full tiles are kept by Object Lock; 0 for not at all
    anchor <place>\\n        where the anchor was last used, if that is known: a hint, its identity decides

Settings do not decide what is in the log: runs with different settings write objects of equal content. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tiles.errors import Malformed
from tiles.notes.encoding import decode_decimal
from tiles.records.fields import format_record, parse_repeating_record

TITLE = "tiletree-settings/v1"
MAX_LOCK_DAYS = 36_500  # as S3 has it

_VERSION = re.compile(r"[0-9A-Za-z.+]{1,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Settings:
    """How the objects of a log are stored.

    probed      the version that tried the store out
    gzip        whether entry bundles are stored gzip-encoded
    lock_days   for how many days full tiles are kept by S3 Object Lock, 0 to MAX_LOCK_DAYS
    anchor      where the anchor was last used, one line of printable text; "" if that is not known
    """

    probed: str
    gzip: bool = False
    lock_days: int = 0
    anchor: str = ""

    @property
    def data(self) -> bytes:
        """The record, as it is stored."""
        gzip = "yes" if self.gzip else "no"
        fields = [("probed", self.probed), ("gzip", gzip), ("lock-days", str(self.lock_days))]
        return format_record(TITLE, fields + ([("anchor", self.anchor)] if self.anchor else []))


def parse_settings(data: bytes) -> Settings:
    """Return the settings whose `Settings.data` is `data`. Raises Malformed if there are none."""
    probed, gzip, days, *anchor = parse_repeating_record(TITLE, data, ("probed", "gzip", "lock-days"), "anchor")
    settings = Settings(probed, gzip == "yes", decode_decimal(days, TITLE, maximum=MAX_LOCK_DAYS), "".join(anchor[:1]))
    if not _VERSION.fullmatch(probed) or settings.data != data:
        raise Malformed(TITLE, "not in canonical form", data)
    return settings
