"""Options of commands that read logs and proofs: whom to trust, where else a log is, and how it keeps its objects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click
from click.core import ParameterSource

from tiles.records.layout_names import LAYOUT_NAMES, TLOG_TILES
from tiletree.options import Decorator, as_one


@dataclass(frozen=True)
class Pins:
    """Whom a call trusts for a log: a vkey, or a file with a policy; None of both: as remembered, or at first use.

    from_environment   no word of the call says it
    mirrors            other addresses of the log, each asked for what the ones before it do not have
    origin             of the log, if it is not the name of the key
    layout             how the log keeps its objects: one of `tiles.records.layout_names`; None: found by itself
    """

    vkey: str | None = None
    policy: Path | None = None
    from_environment: bool = False
    mirrors: tuple[str, ...] = ()
    origin: str | None = None
    layout: str | None = None

    @property
    def is_named(self) -> bool:
        """Whether the call's own words say whom to trust."""
        return not self.from_environment and (self.vkey or self.policy) is not None


pruned_option = click.option(
    "--pruned",
    "minimum",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="the log's minimum index: what is below it was pruned, and is not damaged",
)


def _pins_of(
    vkey: str | None,
    policy: Path | None,
    origin: str | None,
    layout: str | None = TLOG_TILES,
    mirror: tuple[str, ...] = (),
) -> Pins:
    """Return whom a call trusts. What its own words say, also with --trusted-root, goes before the environment."""
    context = click.get_current_context()
    source = context.get_parameter_source
    own = [name for name in ("vkey", "policy", "root") if source(name) is ParameterSource.COMMANDLINE]
    if own:
        vkey, policy = (vkey if "vkey" in own else None), (policy if "policy" in own else None)
    if origin is not None and vkey is None:
        raise click.UsageError("--origin is that of a log whose key is named, with --vkey", context)
    return Pins(vkey, policy, from_environment=not own, mirrors=mirror, origin=origin, layout=layout)


_TRUST: dict[str, Decorator] = {
    "vkey": click.option(
        "--vkey",
        metavar="VKEY",
        envvar="TILETREE_VKEY",
        help="accept what this key of the log has signed  [$TILETREE_VKEY]",
    ),
    "policy": click.option(
        "--policy",
        type=click.Path(path_type=Path),
        envvar="TILETREE_POLICY",
        help="accept what this tlog-policy file accepts  [$TILETREE_POLICY]",
    ),
    "origin": click.option(
        "--origin", metavar="TEXT", help="with --vkey: the log's origin, if it is not the name of its key"
    ),
}
_READING: dict[str, Decorator] = {
    "layout": click.option(
        "--layout",
        type=click.Choice(LAYOUT_NAMES),
        help="how the log keeps its objects: docs/other-logs.md  [default: found by itself]",
    ),
    "mirror": click.option(
        "--mirror",
        metavar="URL",
        multiple=True,
        help="another address of the log, asked for what is missing or wrong at the ones before",
    ),
}


def reading_options(*names: str) -> Decorator:
    """Return what adds the options of whom to trust for a log that is read, and of those of _READING that are named.

    "layout" is for commands that read logs of all formats; without it, a log is tlog-tiles.
    """
    return as_one("pins", _pins_of, **_TRUST, **{name: _READING[name] for name in names})


trust_options = reading_options()


def _public_pins_of(public_vkey: str | None, public_policy: Path | None) -> Pins:
    return Pins(public_vkey, public_policy)


# whom to trust for the log that holds endorsements, where LOG is the one that is endorsed
public_options = as_one(
    "public",
    _public_pins_of,
    public_vkey=click.option("--public-vkey", metavar="VKEY", help="the public log's key"),
    public_policy=click.option(
        "--public-policy",
        type=click.Path(path_type=Path),
        help="what makes a checkpoint of the public log acceptable: a tlog-policy file",
    ),
)
