"""What a verifier demands: identity and issuer, both, exactly or by a regular expression."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509

from tests.support.sigstore_authority import (
    IDENTITY,
    ISSUER,
    WORKFLOW,
    WORKFLOW_CLAIMS,
    WORKFLOW_ISSUER,
    authority,
)
from tiles.errors import UsageError, VerificationError
from tiles.sigstore.certificate import parse_certificate
from tiles.sigstore.identity import demand


def certificate(*names: Any, **options: Any) -> Any:
    """Return a certificate of our authority."""
    return parse_certificate(authority().leaf(*names, **options).der)


MET: dict[str, tuple[Any, dict[str, Any]]] = {
    "exact": (certificate(), {"identity": IDENTITY, "issuer": ISSUER}),
    "by expressions": (certificate(), {"identity_regexp": r".*@example\.com", "issuer_regexp": "^https://oidc.*$"}),
    "a workflow": (
        certificate(WORKFLOW, issuer=WORKFLOW_ISSUER, claims=WORKFLOW_CLAIMS),
        {"identity": WORKFLOW, "issuer": WORKFLOW_ISSUER, "claims": {"Build Trigger": "push"}},
    ),
    "a user name": (certificate("user!x"), {"identity": "user!x", "issuer": ISSUER}),
    "issuer in the older extension": (
        certificate(issuer=None, issuer_v1=ISSUER),
        {"identity": IDENTITY, "issuer": ISSUER},
    ),
}


@pytest.mark.parametrize("case", MET)
def test_what_is_met(case: str) -> None:
    """Nothing is raised."""
    found, demanded = MET[case]
    demand(**demanded).check(found)


EXACT = {"identity": IDENTITY, "issuer": ISSUER}
REFUSED: dict[str, tuple[Any, dict[str, Any], str]] = {
    "another identity": (
        certificate("eve@example.com"),
        EXACT,
        "the certificate's identity is 'eve@example.com'; demanded is 'dev@example.com'",
    ),
    "another case": (certificate("Dev@example.com"), EXACT, "identity is 'Dev@example.com'"),
    "another issuer": (
        certificate(issuer="https://evil.example"),
        EXACT,
        "the certificate's issuer is 'https://evil.example'; demanded is 'https://oidc.example.com'",
    ),
    "issuer with a slash more": (certificate(issuer=ISSUER + "/"), EXACT, "issuer is"),
    "no issuer": (certificate(issuer=None), EXACT, "does not say who vouched for 'dev@example.com'"),
    "no issuer, any would do": (
        certificate(issuer=None),
        {"identity": IDENTITY, "issuer_regexp": ".*"},
        "demanded is the issuer one that matches '.*'",
    ),
    "two identities": (certificate(IDENTITY, WORKFLOW), EXACT, "does not name exactly one"),
    "identity beside another kind": (
        certificate(IDENTITY, x509.DNSName("example.com")),
        EXACT,
        "does not name exactly one",
    ),
    "a host's name": (
        certificate(x509.DNSName("example.com")),
        {"identity": "example.com", "issuer": ISSUER},
        r"but 'example.com' \(dns\)",
    ),
    "part of an identity": (
        certificate(WORKFLOW),
        {"identity_regexp": "https://github.com/example/", "issuer": ISSUER},
        "demanded is one that matches 'https://github.com/example/'",
    ),
    "another claim": (
        certificate(claims={20: "push"}),
        {**EXACT, "claims": {"Build Trigger": "release"}},
        "Build Trigger is 'push'",
    ),
    "no such claim": (certificate(), {**EXACT, "claims": {"Build Trigger": "release"}}, "Build Trigger is ''"),
    "a long identity": (certificate("a" * 5000 + "@example.com"), EXACT, r"identity is 'a{290,}\.\.\."),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str) -> None:
    """VerificationError, which says what was found and what was demanded."""
    found, demanded, message = REFUSED[case]
    with pytest.raises(VerificationError, match=message) as caught:
        demand(**demanded).check(found)
    assert ("has to match the whole text" in caught.value.hint) == (case == "part of an identity")


WRONG_CALLS: dict[str, tuple[dict[str, Any], str]] = {
    "no issuer": (
        {"identity": IDENTITY},
        "neither of --certificate-oidc-issuer and --certificate-oidc-issuer-regexp is",
    ),
    "no identity": ({"issuer_regexp": ".*"}, "neither of --certificate-identity and"),
    "identity twice": ({**EXACT, "identity_regexp": ".*"}, "both of --certificate-identity and"),
    "no expression": ({"identity_regexp": "(", "issuer": ISSUER}, "is not understood at character 2"),
    "a claim that there is not": ({**EXACT, "claims": {"Commit": "x"}}, "no claim called 'Commit'"),
}


@pytest.mark.parametrize("case", WRONG_CALLS)
def test_wrong_calls(case: str) -> None:
    """UsageError, which names the option."""
    demanded, message = WRONG_CALLS[case]
    with pytest.raises(UsageError, match=message):
        demand(**demanded)
