"""What the tests of terraform/ share: Terraform and its providers, a copy of the modules, modules that were applied."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.terraform import mirror, modules, tools
from tests.terraform.deployment import Deploy, Deployment, deployed


@pytest.fixture(scope="session")
def configuration() -> Path:
    """Return a configuration of Terraform by which it finds the providers."""
    try:
        tools.program()
        sys.path.append(str(tools.packages()))
        return mirror.configuration()
    except tools.Unavailable as error:
        pytest.skip(f"NOT TESTED: {error}")


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of terraform/, which may be written to."""
    return modules.copied(tmp_path_factory.mktemp("modules"))


@pytest.fixture(scope="session")
def deploy(configuration: Path, terraform: Path) -> Deploy:
    """Return what applies aws-complete with some variables, once for the same ones."""

    found: dict[tuple[tuple[str, str], ...], Deployment | modules.Failed] = {}

    def deploy(**variables: str) -> Deployment:
        key = tuple(sorted(variables.items()))
        if key not in found:
            try:
                found[key] = deployed(terraform / "examples" / "aws-complete", configuration, **variables)
            except modules.Failed as error:
                found[key] = error
        if isinstance(made := found[key], modules.Failed):
            raise made
        return made

    return deploy
