"""Where redirects may lead, and where not: the same for every reader."""

from __future__ import annotations

PRIVATE = (
    "169.254.169.254",
    "127.0.0.1:8443",
    "10.1.2.3",
    "192.168.0.1",
    "100.64.0.1",
    "0.0.0.0",
    "[::1]",
    "[fe80::1]",
    "[fd00::1]",
    "[::ffff:10.0.0.1]",
    "[64:ff9b::a00:1]",
    "[2002:a00:1::]",
    "localhost",
    "LOCALHOST.",
    "metadata.google.internal",
    "printer.local",
    "intranet",
    "2130706433",
    "127.1",
    "0x7f.0.0.1",
)
PUBLIC = ("log.example.com", "8.8.8.8", "[2606:4700::1111]", "1.example.org", "[::ffff:8.8.8.8]")

# the address that redirects, where to, and what is wrong with that: "" for nothing
REDIRECTS: list[tuple[str, str | None, str]] = [
    ("http://a.org/", "https://b.org/", ""),
    ("http://a.org/x/", "../y", ""),
    ("http://a.org/", "http://a.org:80/", ""),
    ("https://a.org/", "https://b.org:8443/", ""),
    ("https://a.org/", "//b.org/", ""),
    ("http://a.org/", "http://b.org/", "not by https"),
    ("http://a.org/", "http://a.org:8080/", "not by https"),
    ("https://a.org/", "http://a.org/", "not by https"),
    ("https://a.org:8443/", "http://a.org:8443/", "not by https"),
    ("https://a.org/", "ftp://a.org/", "not a https:// URL"),
    ("https://a.org/", "file:///etc/passwd", "not a https:// URL"),
    ("https://a.org/", "", "not a https:// URL"),
    ("https://a.org/", None, "not a https:// URL"),
    ("https://a.org/", "https://[::1", "not a https:// URL"),
    ("http://169.254.169.254/", "/latest/meta-data/", ""),
    *(("https://a.org/", f"https://{host}/latest", "private network") for host in PRIVATE),
]
