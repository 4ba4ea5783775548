"""Lengths of time as options take them: 90, 90s, 30m, 12h, 7d, 2w."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    _ParamType = click.ParamType[int]  # which older versions of click do not know at run time
else:
    _ParamType = click.ParamType

_FORM = re.compile(r"([0-9]{1,9})([smhdw]?)", re.ASCII)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


class _Duration(_ParamType):
    """A number of seconds, minutes, hours, days or weeks; the value is in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the seconds. Fails for what is no length of time; what was written is not shown."""
        match = _FORM.fullmatch(str(value))
        if match is None:
            self.fail("it is a number of seconds, or one with s, m, h, d or w behind it, such as 7d", param, ctx)
        return int(match[1]) * _SECONDS[match[2]]


DURATION = _Duration()
