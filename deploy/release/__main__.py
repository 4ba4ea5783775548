"""`python -m deploy.release build|check|lock`: see the package."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from deploy.release import __doc__ as about
from deploy.release.archives import ROOT
from deploy.release.build import KINDS, build, has_cargo
from deploy.release.check import check, uncommitted
from deploy.release.tools import ReleaseError, Tools, lock


def main(arguments: list[str]) -> int:
    """Do what is asked for, and return an exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.release", description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", choices=["build", "check", "lock"])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "dist")
    parser.add_argument("--policy", type=Path, help="the policy of the log that verify.html is made for")
    parser.add_argument("--without", action="append", choices=KINDS, default=[], help="what is not built")
    parser.add_argument("--tools", type=Path, default=ROOT / ".venv" / "release", help="where the tools are installed")
    call = parser.parse_args(arguments)
    without = set(call.without)
    if not has_cargo():
        without.add("native")
    try:
        if call.task == "lock":
            lock()
        elif call.task == "build":
            _say_what_lacks(without, call.policy)
            print("\n".join(build(call.folder, Tools(call.tools), call.policy, without)))
        elif different := check(call.folder, call.tools, call.policy, without):
            print("these files have other bytes when the last commit is built elsewhere:", file=sys.stderr)
            print("\n".join(f"  {name}" for name in different), file=sys.stderr)
            return 1
        else:
            print("the last commit, built from a clone at another path, has the same bytes")
    except ReleaseError as error:
        print(f"release: {error}", file=sys.stderr)
        return 3
    return 0


def _say_what_lacks(without: set[str], policy: Path | None) -> None:
    if not has_cargo():
        print("there is no cargo: the wheel of native/ is not built", file=sys.stderr)
    if policy is None and "page" not in without:
        print("no policy is named (POLICY=…): verify.html is not built", file=sys.stderr)
    if uncommitted():
        print("not all of this is committed: a clone will have other bytes", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
