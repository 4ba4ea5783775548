"""Environment variables for clients of the object server, as the tools of S3, GCS and Azure know them."""

from __future__ import annotations

import json
from functools import lru_cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.certificates import few_authorities

REGION = "us-east-1"
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="  # everyone's


def environment(dialect: str, url: str, who: str) -> dict[str, str]:
    """Return what a client of the server at a URL needs.

    who   the access key; in GCS the e-mail address of the account, in Azure all have the same one
    """
    return few_authorities() | _credentials(dialect, url, who)


def _credentials(dialect: str, url: str, who: str) -> dict[str, str]:
    if dialect == "gcs":
        account = {"private_key": _private_key(), "private_key_id": "1", "client_email": who}
        key = json.dumps({**account, "gcs_base_url": url})
        return {"GOOGLE_SERVICE_ACCOUNT_KEY": key, "GOOGLE_BASE_URL": url}
    if dialect == "azure":
        return {
            "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
            "AZURE_STORAGE_ACCOUNT_KEY": ACCOUNT_KEY,
            "AZURE_STORAGE_ENDPOINT": f"{url}/{ACCOUNT}",
            "AZURE_ALLOW_HTTP": "true",
        }
    return {
        "AWS_ACCESS_KEY_ID": who,
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": url,
        "AWS_ALLOW_HTTP": "true",
    }


@lru_cache
def _private_key() -> str:
    """Return a new key of a service account, as PEM."""
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
