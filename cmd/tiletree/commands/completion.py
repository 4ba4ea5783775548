"""`tiletree completion`: what a shell reads, so that it completes calls of `tiletree`."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from tiletree.options import json_option, output
from tiletree.ui import Output

KINDS = {kind.name: kind for kind in (BashComplete, ZshComplete, FishComplete)}
PROGRAM, VARIABLE = "tiletree", "_TILETREE_COMPLETE"  # by which click knows that a shell asks


@click.command()
@click.argument("shell", type=click.Choice(tuple(KINDS)))
@json_option
@output
def completion(out: Output, shell: str) -> None:
    """Print what SHELL reads to complete calls of tiletree: commands, options, files and logs.

    \b
    Examples:
      eval "$(tiletree completion bash)"    in ~/.bashrc; needs bash 4.4
      eval "$(tiletree completion zsh)"     in ~/.zshrc, after compinit
      tiletree completion fish > ~/.config/fish/completions/tiletree.fish
    """
    script = KINDS[shell](click.get_current_context().find_root().command, {}, PROGRAM, VARIABLE).source()
    if out.json:
        out.answer({"shell": shell, "script": script})
    else:
        out.raw(script.encode())
