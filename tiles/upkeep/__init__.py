"""Looking after a log: status, audit, gc, import, repair."""
