"""What hosts and networks send in the place of an object of a log: name → content, and what a reader says it is."""

from __future__ import annotations

PAGES = {
    "a page": b"<!doctype html><title>Sign in</title>",
    "a page in capitals": b"<!DOCTYPE HTML PUBLIC '-//W3C//DTD HTML 4.01//EN'>\n<HTML>",
    "a page after a byte order mark": "\ufeff\r\n <html lang=de>Grüße</html>".encode(),
    "a page after a comment": b"<!-- served by node 7 -->\n<!-- and again -->\n<html></html>",
    "a page without a head": b"<h1>It works!</h1>",
    "a page in Latin-1": "<center>Zugang nur für Gäste</center>".encode("latin-1"),
    "a page in UTF-16": "<html><p>404".encode("utf-16"),
    "a page after some text": b"loading\n<html><body>",
    "XHTML": b'<?xml version="1.0"?>\n<!DOCTYPE html><html xmlns="x"></html>',
}
OTHERS = {
    "nothing": (b"", "is empty"),
    "blank lines": (b"\r\n \n", "is empty"),
    "an error of S3": (b'<?xml version="1.0"?>\n<Error><Code>NoSuchKey</Code></Error>', "is an XML document"),
}
NO_OBJECTS = {**{name: (data, r"is a web page \(HTML\)") for name, data in PAGES.items()}, **OTHERS}
