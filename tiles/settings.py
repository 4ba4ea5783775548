"""Settings of a log in a bucket, `settings` in its private part: how objects are stored, and who tried the store out.

    tiletree-settings/v1\\n
    probed <version>\\n      of tiletree that found both parts to keep their conditions
    gzip yes|no\\n           whether entry bundles are stored gzip-encoded

Nothing here decides what is in the log: runs that disagree write objects of equal content. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tiles.errors import Malformed
from tiles.record import format_record, parse_record

SETTINGS = "settings"
TITLE = "tiletree-settings/v1"

_VERSION = re.compile(r"[0-9A-Za-z.+]{1,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Settings:
    """What is settled about how a log is stored. probed is the version that tried it out."""

    probed: str
    gzip: bool = False

    @property
    def data(self) -> bytes:
        """The record, as it is stored."""
        return format_record(TITLE, [("probed", self.probed), ("gzip", "yes" if self.gzip else "no")])


def parse_settings(data: bytes) -> Settings:
    """Return the settings that `Settings.data` made the bytes of. Raises Malformed for anything else."""
    probed, gzip = parse_record(TITLE, data, ("probed", "gzip"))
    settings = Settings(probed, gzip == "yes")
    if not _VERSION.fullmatch(probed) or settings.data != data:
        raise Malformed(TITLE, "not in canonical form", data)
    return settings
