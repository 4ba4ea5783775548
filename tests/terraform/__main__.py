"""All checks of terraform/, as `make terraform` runs them.

    python -m tests.terraform

Where Terraform, or a package, cannot be had, it says so in one line and passes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tests.terraform import docs, gcp_rights, hcl
from tests.terraform.mirror import configuration
from tests.terraform.modules import ROOT, TERRAFORM, Failed, check_format, check_module, copied, examples, modules
from tests.terraform.tools import HERE, Unavailable, packages, program


def main() -> int:
    """Run the checks, and say of each what it found."""
    try:
        program()
        sys.path.insert(0, str(packages()))
        found = configuration()
    except Unavailable as error:
        print(f"terraform/ is not checked here: {error}")
        return 0
    with tempfile.TemporaryDirectory(prefix="terraform-") as scratch, ThreadPoolExecutor(2) as workers:
        copy = copied(Path(scratch))
        folders = [path.relative_to(TERRAFORM) for path in [*modules(), *examples()]]
        checks: dict[str, Callable[[], str | None]] = {
            "terraform fmt": lambda: check_format(found),
            "declarations and README.md": check_declarations,
            "rights of terraform/gcp": lambda: check_gcp_rights(Path(scratch) / "rights", found),
        }
        for folder in folders:
            checks[f"terraform/{folder}"] = lambda folder=folder: check_module(copy / folder, found)
        began = time.monotonic()
        results = {name: workers.submit(check) for name, check in checks.items()}
        failed = [name for name, result in results.items() if not _succeeds(name, result)]
    tests = [sys.executable, "-m", "pytest", "-q", "-m", "interop", str(HERE), "-p", "no:cacheprovider"]
    if subprocess.run(tests, cwd=ROOT).returncode:
        failed.append("tests")
    print(f"{len(failed) or 'no'} checks of terraform/ failed, in {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


def check_declarations() -> None:
    """Check what each module declares, and the tables that are made of it. Raises Failed."""
    for folder in modules():
        if wrong := hcl.problems(folder):
            raise Failed(f"terraform/{folder.name}: {'; '.join(wrong)}")
        docs.check(folder)


def check_gcp_rights(scratch: Path, configuration: Path) -> str:
    """Check the rights of terraform/gcp in a copy of its own. Raises Failed. Return what was done."""
    scratch.mkdir()
    return gcp_rights.check(copied(scratch) / "gcp", configuration)


def _succeeds(name: str, result: Future[str | None]) -> bool:
    try:
        said = result.result()
    except Failed as error:
        print(f"{name}: FAILED\n{error}", file=sys.stderr)
        return False
    print(f"{name}: {said or 'ok'}")
    return True


if __name__ == "__main__":
    sys.exit(main())
