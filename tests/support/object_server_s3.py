"""The object server's S3: addresses, conditions, errors and lists, as far as clients ask for them."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from email.utils import formatdate
from time import gmtime, strftime
from typing import ClassVar
from urllib.parse import quote, unquote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from tests.support.object_server_http import Answer, Request
from tests.support.object_server_shelf import Page, Stored

KEPT = ("content-type", "cache-control", "content-encoding", "content-language", "content-disposition")
DELETIONS = 1000  # in one request, at most

Delete = Callable[[str], "Answer"]


class S3:
    """Amazon S3, path-style. https://docs.aws.amazon.com/AmazonS3/latest/API/"""

    errors: ClassVar[Mapping[str, tuple[int, str]]] = {
        "denied": (403, "AccessDenied"),
        "no bucket": (404, "NoSuchBucket"),
        "no key": (404, "NoSuchKey"),
        "no method": (501, "NotImplemented"),
        "conflict": (409, "ConditionalRequestConflict"),
        "failed": (412, "PreconditionFailed"),
        "exists": (412, "PreconditionFailed"),
        "range": (416, "InvalidRange"),
        "malformed": (400, "MalformedXML"),
        "busy": (503, "SlowDown"),
        "broken": (500, "InternalError"),
    }
    deleting_nothing_is_fine = True
    hides_what_is_missing = True  # from those who may not list
    overwriting_is_deleting = False  # needs that right as well
    kept_prefixes: tuple[str, ...] = ("x-amz-meta-", "x-amz-object-lock-")

    def read_address(self, request: Request) -> None:
        """Fill in kind, bucket, key and who."""
        bucket, _, key = request.path.removeprefix("/").partition("/")
        request.bucket, request.key = unquote(bucket), unquote(key)
        request.who = self.read_who(request)
        request.kind = self.read_kind(request)
        if request.kind == "LIST":
            request.key = request.query.get("prefix", "")

    def read_who(self, request: Request) -> str:
        """Return the access key; signatures are not checked."""
        signed = request.headers.get("authorization", "") or request.query.get("X-Amz-Credential", "")
        return signed.partition("Credential=")[2].split("/")[0] if "=" in signed else signed.split("/")[0]

    def read_kind(self, request: Request) -> str:
        """Return what is asked for, "" if it is not served here."""
        if request.method == "POST":
            return "POST" if "delete" in request.query else ""
        unknown = {"uploads", "uploadId", "acl", "versions"} & set(request.query)
        if unknown or "x-amz-copy-source" in request.headers:
            return ""
        return "LIST" if request.method == "GET" and not request.key else request.method

    def error(self, name: str, about: str = "", /, **extra: str) -> Answer:
        """Return an answer that says what is wrong."""
        status, code = self.errors[name]
        fields = {"Code": code, "Message": name, "Resource": about, "RequestId": "1"} | extra
        xml = "".join(f"<{field}>{escape(value)}</{field}>" for field, value in fields.items())
        return self.xml(f"<Error>{xml}</Error>", status)

    def xml(self, document: str, status: int = 200) -> Answer:
        """Return an answer in XML."""
        return Answer(status, {"Content-Type": "application/xml"}, f'<?xml version="1.0"?>{document}'.encode())

    # ---- objects

    def refused(self, request: Request, there: Stored | None) -> Answer | None:
        """Return what is said to a write whose condition does not hold, None if it does."""
        if request.headers.get("if-none-match") == "*" and there is not None:
            return self.error("exists", request.key, Condition="If-None-Match")
        wanted = request.headers.get("if-match")
        if wanted is not None and there is None:
            return self.error("no key", request.key)
        if wanted is not None and there is not None and wanted.strip('"') != self.tag(there).strip('"'):
            return self.error("failed", request.key, Condition="If-Match")
        return None

    def tag(self, stored: Stored) -> str:
        """Return an object's ETag."""
        return stored.md5

    def kept(self, request: Request) -> dict[str, str]:
        """Return the headers to keep with an object."""
        headers = {n: v for n, v in request.headers.items() if n in KEPT or n.startswith(self.kept_prefixes)}
        return {"content-type": "binary/octet-stream"} | headers

    def version(self, stored: Stored) -> dict[str, str]:
        """Return the headers that say which version an object is."""
        return {"ETag": self.tag(stored)}

    def wrote(self, stored: Stored) -> Answer:
        """Answer a write."""
        return Answer(200, self.version(stored))

    def object(self, request: Request, stored: Stored) -> Answer:
        """Answer GET and HEAD: all of an object, or a range."""
        headers = {
            **self.version(stored),
            **stored.headers,
            "Last-Modified": formatdate(stored.modified, usegmt=True),
            "Accept-Ranges": "bytes",
        }
        if request.headers.get("if-none-match") in (self.tag(stored), "*"):
            return Answer(304, headers)
        if request.headers.get("if-match", self.tag(stored)) not in (self.tag(stored), "*"):
            return self.error("failed", request.key, Condition="If-Match")
        match = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("range", ""))
        if match is None:
            return Answer(200, headers, stored.data)
        size = len(stored.data)
        start, end = (int(n) if n else None for n in match.groups())
        if start is None:
            start, end = max(size - (end or 0), 0), None
        last = min(size - 1 if end is None else end, size - 1)
        if last < start:
            return self.error("range", request.key)
        return Answer(206, headers | {"Content-Range": f"bytes {start}-{last}/{size}"}, stored.data[start : last + 1])

    def deleted(self) -> Answer:
        """Answer a deletion."""
        return Answer(204)

    # ---- lists

    def page_of(self, request: Request, most: int) -> tuple[str, str, int]:
        """Return the delimiter of a list, what its page comes after, and how many it may show."""
        query = request.query
        token = query.get("continuation-token", "")
        after = b64decode(token).decode() if token else query.get("start-after", "")
        return query.get("delimiter", ""), after, min(int(query.get("max-keys", most)), most)

    def page(self, request: Request, page: Page) -> Answer:
        """Answer a list."""
        encode = quote if request.query.get("encoding-type") == "url" else text
        rows = [
            f"<Contents><Key>{encode(key)}</Key><LastModified>{_iso(stored.modified)}</LastModified>"
            f"<ETag>{escape(self.tag(stored))}</ETag><Size>{len(stored.data)}</Size>{self.more(stored)}</Contents>"
            for key, stored in page.contents
        ]
        rows += [f"<CommonPrefixes><Prefix>{encode(item)}</Prefix></CommonPrefixes>" for item in page.prefixes]
        if page.last is not None:
            token = b64encode(page.last.encode()).decode()
            rows.append(f"<NextContinuationToken>{token}</NextContinuationToken>")
        if "encoding-type" in request.query:
            rows.append("<EncodingType>url</EncodingType>")
        return self.xml(
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{text(request.bucket)}</Name><Prefix>{encode(request.key)}</Prefix>"
            f"<KeyCount>{len(page.contents) + len(page.prefixes)}</KeyCount><MaxKeys>1000</MaxKeys>"
            f"<IsTruncated>{str(page.last is not None).lower()}</IsTruncated>{''.join(rows)}</ListBucketResult>"
        )

    def more(self, _stored: Stored) -> str:
        """Return what a list says of an object besides."""
        return "<StorageClass>STANDARD</StorageClass>"

    # ---- many deletions

    def delete_many(self, request: Request, delete: Delete) -> Answer:
        """Delete what the body lists, each by `delete`, and say how it went."""
        try:
            tree = ElementTree.fromstring(request.body)
        except ElementTree.ParseError:
            return self.error("malformed")
        keys = [each.text or "" for each in tree.iterfind(".//{*}Key")]
        if not 0 < len(keys) <= DELETIONS:
            return self.error("malformed")
        quiet = tree.findtext("{*}Quiet") == "true"
        rows = []
        for key in keys:
            if delete(key).status >= 300:
                rows.append(f"<Error><Key>{text(key)}</Key><Code>AccessDenied</Code><Message/></Error>")
            elif not quiet:
                rows.append(f"<Deleted><Key>{text(key)}</Key></Deleted>")
        return self.xml(f'<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{"".join(rows)}</DeleteResult>')


def text(value: str) -> str:
    """Return a string as XML text."""
    return escape(value, {"\r": "&#13;"})


def _iso(seconds: float) -> str:
    return strftime("%Y-%m-%dT%H:%M:%S.000Z", gmtime(seconds))
