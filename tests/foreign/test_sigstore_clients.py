"""What clients of Sigstore say of bundles as we write them, and of each that was tampered with; we say the same.

sigstore-python verifies certificates only. What more clients say of more bundles is in tests/interop.
"""

from __future__ import annotations

import pytest

from tests.support.sigstore_cases import GOOD, TAMPERED, Case, javascript, ours, python

CERTIFICATES = [name for name in GOOD if name.startswith("certificate")]


@pytest.fixture(scope="module")
def cases() -> dict[str, Case]:
    """Return a good case of each kind."""
    return {name: make() for name, make in GOOD.items()}


@pytest.mark.parametrize("by_digest", [False, True], ids=["file", "digest"])
def test_good(cases: dict[str, Case], by_digest: bool) -> None:
    """Whoever can verify a kind of bundle verifies it, of the artifact and of its digest."""
    assert {name: ours(case, by_digest=by_digest) for name, case in cases.items()} == dict.fromkeys(GOOD, "")
    found = {name: python(cases[name], by_digest=by_digest) for name in CERTIFICATES}
    assert found == dict.fromkeys(CERTIFICATES, "")


@pytest.mark.parametrize("what", TAMPERED)
def test_tampered(cases: dict[str, Case], what: str) -> None:
    """What was tampered with is refused by sigstore-python and by us."""
    for name, case in cases.items():
        spoiled = case.spoiled(TAMPERED[what])
        assert (name, ours(spoiled) != "") == (name, True)
        if name in CERTIFICATES:
            assert (name, python(spoiled) != "") == (name, True)


def test_another_artifact_than_the_statement_is_about(cases: dict[str, Case]) -> None:
    """An envelope is good by itself; of what it is, we say ourselves, and callers of the others have to."""
    for name in ("key, DSSE", "certificate, DSSE"):
        assert "is about 1 other artifacts" in ours(cases[name].spoiled(replace_artifact))


def replace_artifact(case: Case) -> Case:
    """Return the case of another artifact."""
    return Case(case.bundle, case.root, b"another artifact", case.key)


def test_javascript(cases: dict[str, Case]) -> None:
    """@sigstore/verify takes every kind of bundle, and none that was tampered with."""
    spoiled = {
        f"{what}: {name}": case.spoiled(spoil) for what, spoil in TAMPERED.items() for name, case in cases.items()
    }
    found = dict(zip([*cases, *spoiled], javascript([*cases.values(), *spoiled.values()]), strict=True))
    assert {name: found[name] for name in cases} == dict.fromkeys(cases, "")
    assert [name for name in spoiled if not found[name]] == []
