"""What the words of a call of `verify` may name: types of click."""

from __future__ import annotations

from typing import Any

import click

from tiles.errors import UsageError
from tiletree.subjects import LocalMaterial, is_url, material, subject


class SubjectWord(click.Path):
    """A file or folder, sha256: and the digest of a file, or the URL of one."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return what the text names; whether there is such a file is looked at later. Fails for a URL that is none."""
        try:
            return subject(str(value))
        except UsageError as error:
            self.fail(error.message, param, ctx)


class MaterialWord(click.Path):
    """A proof or bundle, in a file or at a URL."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return what the text names. Fails if there is no such file."""
        try:
            named = material(str(value))
        except UsageError as error:
            self.fail(error.message, param, ctx)
        if isinstance(named, LocalMaterial):
            super().convert(value, param, ctx)
        return named


class FileWord(click.Path):
    """A file of this machine, where a file to be verified may be at a URL."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path. Fails if there is no such file."""
        if is_url(str(value)):
            self.fail(f"{value} is a URL, and this is read from a file: fetch it first", param, ctx)
        return super().convert(value, param, ctx)
