"""`tiletree page`: the verifying page is put into a log."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import click

from tiles.page import VERIFY, install_page, published_policy, verify_page
from tiles.user.places import public_store
from tiletree.keys import check_log
from tiletree.options import json_option, log_argument, output
from tiletree.pins import read_policy
from tiletree.ui import Output


@click.command()
@log_argument
@click.option("--policy", type=click.Path(path_type=Path), help="the policy for verify.html  [default: the log's]")
@json_option
@output
def page(out: Output, log: str, policy: Path | None) -> None:
    """Put the verifying page into LOG, or bring it up to date.

    \b
    Example:
      tiletree page ./log

    The page is static files beside the tiles: whoever opens the log's address in a browser can drop a file there and
    see whether the log holds it. verify.html is the page in one file, to be kept; it needs no network to verify proofs.
    Publish its SHA-256.

    Beside the page, site.txt may say whose log it is, in lines such as `name Example`, `link https://example.org/` and
    `contact mailto:log@example.org`. No command writes it: put it there as any other file.
    """
    store = public_store(log)
    if policy is None:
        check_log(store)
    chosen = read_policy(policy) or published_policy(store)
    changed = install_page(store, chosen)
    digest = sha256(verify_page(chosen)).hexdigest()
    out.result(
        {"changed": changed, "verify_html_sha256": digest},
        f"wrote {', '.join(changed)}" if changed else "the page is up to date",
        f"SHA-256 of {VERIFY}: {digest}",
    )
