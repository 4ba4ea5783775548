"""The object server's GCS and Azure: what they say in other words than S3, or mean differently."""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64decode, b64encode, urlsafe_b64decode
from collections.abc import Mapping
from email.utils import formatdate
from typing import ClassVar
from urllib.parse import unquote

from tests.support.object_server_http import Answer, Request
from tests.support.object_server_s3 import KEPT, S3, Delete, text
from tests.support.object_server_shelf import Page, Stored

SUBREQUESTS = 256  # of one batch, at most


class Gcs(S3):
    """Google Cloud Storage's XML API. https://cloud.google.com/storage/docs/xml-api/reference-headers"""

    errors: ClassVar[Mapping[str, tuple[int, str]]] = {
        **S3.errors,
        "conflict": (429, "SlowDown"),
        "busy": (503, "ServiceUnavailable"),
    }
    deleting_nothing_is_fine = False
    overwriting_is_deleting = (
        True  # whether that or the condition is looked at first, is not documented: the right, here
    )
    kept_prefixes = ("x-goog-meta-",)

    def read_who(self, request: Request) -> str:
        """Return the account that issued the token, which is not verified; or another token as it is."""
        token = request.headers.get("authorization", "").removeprefix("Bearer").strip()
        if token.count(".") != 2:
            return token
        claims = token.split(".")[1]
        return str(json.loads(urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["iss"])

    def refused(self, request: Request, there: Stored | None) -> Answer | None:
        """Only generations are conditions of a write: If-Match and If-None-Match are ignored."""
        wanted = request.headers.get("x-goog-if-generation-match")
        if wanted is None or int(wanted) == (there.generation if there else 0):
            return None
        return self.error("failed", request.key, Details="x-goog-if-generation-match")

    def version(self, stored: Stored) -> dict[str, str]:
        """Return ETag and generation."""
        return {"ETag": self.tag(stored), "x-goog-generation": str(stored.generation), "x-goog-metageneration": "1"}

    def object(self, request: Request, stored: Stored) -> Answer:
        """Answer GET and HEAD; for clients that do not say they take gzip, what is stored as gzip is unpacked.

        https://cloud.google.com/storage/docs/transcoding
        """
        packed = stored.headers.get("content-encoding") == "gzip"
        takes = "gzip" in request.headers.get("accept-encoding", "")
        if not packed or takes or "no-transform" in stored.headers.get("cache-control", "") or request.method == "HEAD":
            return super().object(request, stored)
        try:
            data = gzip.decompress(stored.data)
        except (OSError, EOFError):
            return self.error("busy", request.key)
        headers = {name: value for name, value in stored.headers.items() if name != "content-encoding"}
        request.headers.pop("range", None)  # ignored for what is unpacked
        answer = super().object(request, Stored(data, headers, stored.generation, stored.modified))
        return Answer(answer.status, answer.headers | self.version(stored), answer.body)

    def more(self, stored: Stored) -> str:
        """Return what a list says of an object besides."""
        return f"<Generation>{stored.generation}</Generation><MetaGeneration>1</MetaGeneration>"


class Azure(S3):
    """Azure Blob Storage, with the account in the path. https://learn.microsoft.com/rest/api/storageservices/"""

    errors: ClassVar[Mapping[str, tuple[int, str]]] = {
        **S3.errors,
        "denied": (403, "AuthorizationFailure"),
        "no bucket": (404, "ContainerNotFound"),
        "no key": (404, "BlobNotFound"),
        "conflict": (429, "ServerBusy"),
        "failed": (412, "ConditionNotMet"),
        "exists": (409, "BlobAlreadyExists"),
        "malformed": (400, "InvalidInput"),
        "busy": (503, "ServerBusy"),
    }
    deleting_nothing_is_fine = False
    hides_what_is_missing = False
    kept_prefixes = ("x-ms-meta-",)

    def read_address(self, request: Request) -> None:
        """Fill in kind, bucket, key and who; the account is the first part of the path."""
        path = request.path
        request.path = "/" + path.removeprefix("/").partition("/")[2]
        super().read_address(request)

    def read_who(self, request: Request) -> str:
        """Return the token, or the account."""
        return request.headers.get("authorization", "").removeprefix("SharedKey").strip().split(":")[0]

    def read_kind(self, request: Request) -> str:
        """Return what is asked for."""
        if request.query.get("restype") == "container":
            return {"list": "LIST", "batch": "POST"}.get(request.query.get("comp", ""), request.method)
        return "" if "comp" in request.query or "x-ms-copy-source" in request.headers else request.method

    def error(self, name: str, _about: str = "", /, **_extra: str) -> Answer:
        """Return an answer that says what is wrong, in a header too."""
        status, code = self.errors[name]
        answer = self.xml(f"<Error><Code>{code}</Code><Message>{name}</Message></Error>", status)
        answer.headers["x-ms-error-code"] = code
        return answer

    def refused(self, request: Request, there: Stored | None) -> Answer | None:
        """As in S3, with other names; a swap of what is not there has not met its condition."""
        if there is None and "if-match" in request.headers:
            return self.error("failed")
        return super().refused(request, there)

    def tag(self, stored: Stored) -> str:
        """Return an ETag of the write, not of the content."""
        return f'"0x8DE{stored.generation:012X}"'

    def kept(self, request: Request) -> dict[str, str]:
        """Return what is said of the object in headers of their own."""
        headers = {n.replace("x-ms-blob-content", "content"): v for n, v in request.headers.items()}
        headers = {n.replace("x-ms-blob-cache", "cache"): v for n, v in headers.items()}
        said = {n for n in KEPT if f"x-ms-blob-{n}" in request.headers}
        kept = {n: v for n, v in headers.items() if n in said or n.startswith(self.kept_prefixes)}
        return {"content-type": "application/octet-stream"} | kept

    def wrote(self, stored: Stored) -> Answer:
        """Answer a write."""
        return Answer(201, self.version(stored) | {"Last-Modified": formatdate(stored.modified, usegmt=True)})

    def version(self, stored: Stored) -> dict[str, str]:
        """Return the ETag, and the kind of blob."""
        return {"ETag": self.tag(stored), "x-ms-blob-type": "BlockBlob"}

    def deleted(self) -> Answer:
        """Answer a deletion."""
        return Answer(202)

    # ---- lists

    def page_of(self, request: Request, most: int) -> tuple[str, str, int]:
        """Return the delimiter of a list, what its page comes after, and how many it may show."""
        query = request.query
        after = b64decode(query.get("marker", "")).decode()
        return query.get("delimiter", ""), after, min(int(query.get("maxresults", most)), most)

    def page(self, request: Request, page: Page) -> Answer:
        """Answer a list."""
        rows = [
            f"<Blob><Name>{text(key)}</Name><Properties>"
            f"<Last-Modified>{formatdate(stored.modified, usegmt=True)}</Last-Modified>"
            f"<Etag>{self.tag(stored).strip(chr(34))}</Etag><Content-Length>{len(stored.data)}</Content-Length>"
            f"<Content-Type>{text(stored.headers['content-type'])}</Content-Type><BlobType>BlockBlob</BlobType>"
            "</Properties></Blob>"
            for key, stored in page.contents
        ]
        rows += [f"<BlobPrefix><Name>{text(item)}</Name></BlobPrefix>" for item in page.prefixes]
        marker = b64encode((page.last or "").encode()).decode()
        return self.xml(
            f'<EnumerationResults ContainerName="{text(request.bucket)}"><Prefix>{text(request.key)}</Prefix>'
            f"<Blobs>{''.join(rows)}</Blobs><NextMarker>{marker}</NextMarker></EnumerationResults>"
        )

    # ---- many deletions

    def delete_many(self, request: Request, delete: Delete) -> Answer:
        """Carry out a batch of deletions, each by `delete`, and say how each went."""
        targets = re.findall(rb"^DELETE /[^/ ]+/[^/ ]+/([^ ]+) HTTP/1.1\r$", request.body, re.MULTILINE)
        if not 0 < len(targets) <= SUBREQUESTS:
            return self.error("malformed")
        parts = []
        for number, target in enumerate(targets):
            answer = delete(unquote(target.decode()))
            headers = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
            parts.append(
                f"--batch\r\nContent-Type: application/http\r\nContent-ID: {number}\r\n\r\n"
                f"HTTP/1.1 {answer.status} Done\r\n{headers}Content-Length: {len(answer.body)}\r\n\r\n"
                f"{answer.body.decode()}\r\n"
            )
        body = "".join([*parts, "--batch--\r\n"])
        return Answer(202, {"Content-Type": "multipart/mixed; boundary=batch"}, body.encode())
