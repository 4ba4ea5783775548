"""Installing: whatever extra is asked for, pip finds at once which versions go together, and downloads no others."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from tests.support.sampling import soaking

ROOT = Path(__file__).resolve().parents[2]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
FOR_TESTS = {"test", "bench", "check", "docs"}
TOGETHER = "cloud,fsspec,s3fs,aws"  # asked for at once, which took pip 17 minutes
VERSIONS = 2  # of any package, that pip may look into
_FETCHED = re.compile(r"(?:Downloading|Using cached) (?:\S*/)?([A-Za-z0-9_.]+)-(\d[^-\s]*?)(?:-\S*|\.tar\.gz|\.zip)")


def name_of(requirement: str) -> str:
    """Return the name of the package that is required."""
    return re.split(r"[^\w-]", requirement)[0]


def fetched(output: str) -> dict[str, set[str]]:
    """Return the versions of each package that pip says it has downloaded, or their metadata."""
    found = defaultdict(set)
    for name, version in _FETCHED.findall(output):
        found[name].add(version)
    return found


def test_all_has_every_extra() -> None:
    """The extra `all` is what any other extra adds, without those for tests, and what only makes things faster."""
    wanted = {
        name_of(each) for extra in EXTRAS.keys() - FOR_TESTS - {"all", "native", "dask"} for each in EXTRAS[extra]
    }
    assert {name_of(each) for each in EXTRAS["all"]} == wanted


@pytest.mark.parametrize("extra", sorted(EXTRAS))
def test_what_aiobotocore_is_with(extra: str) -> None:
    """It comes first wherever it, or s3fs, is; it and boto3 have one bound each, as extras may be combined."""
    required = {name_of(each): each for each in EXTRAS[extra]}
    if "s3fs" in required or "aiobotocore" in required:
        assert next(iter(required)) == "aiobotocore"
    bounds = {name_of(each): each for each in EXTRAS["all"] if name_of(each) in ("aiobotocore", "boto3")}
    assert all("<" in bound for bound in bounds.values())
    assert {name: required[name] for name in bounds if name in required}.items() <= bounds.items()


def test_what_pip_says_is_understood() -> None:
    """Wheels, their metadata and source archives count, by name and version."""
    said = "\n".join(
        (
            "  Downloading boto3-1.44.8-py3-none-any.whl (140 kB)",
            "  Downloading boto3-1.44.7-py3-none-any.whl.metadata (6.7 kB)",
            "  Using cached typing_extensions-4.16.0-py3-none-any.whl",
            "  Downloading s3fs-0.4.2.tar.gz (57 kB)",
        )
    )
    versions = {"boto3": {"1.44.8", "1.44.7"}, "typing_extensions": {"4.16.0"}, "s3fs": {"0.4.2"}}
    assert fetched(said) == versions


@pytest.fixture(scope="module")
def pip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the pip that comes with Python 3.11, where a registry can be reached."""
    if (python := shutil.which("python3.11")) is None:
        pytest.skip("NOT TESTED: there is no Python 3.11")
    made = tmp_path_factory.mktemp("venv")
    subprocess.run([python, "-m", "venv", made], check=True)
    pip = made / "bin" / "pip"
    one = [pip, "download", "--no-deps", "--no-cache-dir", "--retries", "0", "--dest", made, "click"]
    if subprocess.run(one, capture_output=True).returncode:
        pytest.skip("NOT TESTED: no package registry can be reached")
    return pip


@pytest.mark.slow
@pytest.mark.parametrize("extra", soaking(["all", TOGETHER], [*sorted(EXTRAS), TOGETHER]))
def test_pip_looks_into_few_versions(pip: Path, extra: str) -> None:
    """Of no package are more than two versions looked into: installing takes seconds, not minutes."""
    command = [pip, "install", "--dry-run", "--no-cache-dir", "--progress-bar", "off", f"{ROOT}[{extra}]"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    versions = fetched(done.stdout)
    assert len(versions) > 2
    counts = Counter(map(len, versions.values()))
    print(f"tried: [{extra}]: {len(versions)} packages; versions looked into: packages {dict(sorted(counts.items()))}")
    assert {name: found for name, found in versions.items() if len(found) > VERSIONS} == {}
