"""A token of SoftHSM with two keys, for tests of PKCS#11."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import which

import pytest

LIBRARIES = tuple(map(Path, ("/usr/lib/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so")))
PIN = "1234"


@dataclass(frozen=True)
class SoftToken:
    """A token that is called "log": key "ed" is Ed25519, "p256" ECDSA P-256, "twice" are two, "rsa" is RSA.

    module   the library that speaks to it
    """

    module: Path
    pin: str = PIN

    def uri(self, label: str, *query: str) -> str:
        """Return how a call names a key."""
        return f"pkcs11:token=log;object={label}?{'&'.join((f'module-path={self.module}', *query))}"


@pytest.fixture(scope="session")
def soft_token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftToken]:
    """Return the token; skip the test where SoftHSM is missing. A process can have one configuration of it only."""
    module = next(filter(Path.is_file, LIBRARIES), None)
    if module is None or which("softhsm2-util") is None:
        pytest.skip("NOT TESTED with a token: softhsm2 is not installed")
    directory = tmp_path_factory.mktemp("softhsm")
    (directory / "tokens").mkdir()
    config = directory / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {directory / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(config)
    words = ("softhsm2-util", "--init-token", "--free", "--label", "log", "--pin", PIN, "--so-pin", "5678")
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    _make_keys(module)
    yield SoftToken(module)
    del os.environ["SOFTHSM2_CONF"]
    if before is not None:
        os.environ["SOFTHSM2_CONF"] = before


def _make_keys(module: Path) -> None:
    import pkcs11
    from pkcs11.util.ec import encode_named_curve_parameters

    parameters = pkcs11.Attribute.EC_PARAMS
    with pkcs11.lib(str(module)).get_token(token_label="log").open(rw=True, user_pin=PIN) as session:
        edwards = session.create_domain_parameters(
            pkcs11.KeyType.EC_EDWARDS, {parameters: bytes.fromhex("130c") + b"edwards25519"}, local=True
        )
        curve = {parameters: encode_named_curve_parameters("secp256r1")}
        nist = session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True)
        edwards.generate_keypair(mechanism=pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN, store=True, label="ed")
        for label, number in (("p256", 1), ("twice", 2), ("twice", 3)):
            nist.generate_keypair(store=True, label=label, id=bytes([number]))
        session.generate_keypair(pkcs11.KeyType.RSA, 1024, store=True, label="rsa")
        nist.generate_keypair(store=True, label="half")
        for key in session.get_objects({pkcs11.Attribute.LABEL: "half"}):
            if key.object_class == pkcs11.ObjectClass.PRIVATE_KEY:
                key.destroy()
