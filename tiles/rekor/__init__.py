"""Rekor's jobs over a log. Nothing here knows HTTP, files or commands.

log_entry   what a client of Rekor is told of an entry: where it is, and what shows that
shim        Rekor v2's one write call: what a request asks for, and what it is answered
desk        entries that several clients want logged at once, logged together
writers     whom a desk hands them to: the log's own writer, or its inbox
"""
