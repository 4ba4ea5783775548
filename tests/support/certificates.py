"""Certificates of 127.0.0.1, by an authority that no system knows."""

from __future__ import annotations

import atexit
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def make_certificates(folder: Path, *names: str) -> tuple[Path, Path]:
    """Make an authority, and a certificate of 127.0.0.1 and these names by it.

    Return where the authority's is, and where certificate and key are.

    The authority's is the second in its file, behind that of another one of the same name.
    """

    def make(name: str, by: Any, is_authority: bool) -> tuple[Any, Any]:
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        subject, issuer = (x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, n)]) for n in (name, "authority"))
        builder = (
            x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(is_authority, None), True)
            .add_extension(x509.SubjectAlternativeName(served), False)
        )
        return builder.sign(by or key, hashes.SHA256()), key

    served = [x509.IPAddress(ip_address("127.0.0.1")), *map(x509.DNSName, names)]
    pem = serialization.Encoding.PEM
    authority, signing = make("authority", None, True)
    other, _ = make("authority", None, True)
    own, key = make("127.0.0.1", signing, False)
    bundle, chain = folder / "bundle.pem", folder / "chain.pem"
    bundle.write_bytes(other.public_bytes(pem) + authority.public_bytes(pem))
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    chain.write_bytes(own.public_bytes(pem) + secret)
    return bundle, chain


@cache
def few_authorities() -> dict[str, str]:
    """Return the environment variables by which two authorities are the only ones that a client knows.

    obstore reads all that the system trusts for each client it makes, http or not: 12 ms, and tests make thousands.
    """
    folder = TemporaryDirectory()
    atexit.register(folder.cleanup)
    bundle, _ = make_certificates(Path(folder.name))
    return {"SSL_CERT_FILE": str(bundle), "SSL_CERT_DIR": str(Path(folder.name) / "none")}
