"""From an address to a verdict: URL → checkpoint → tiles → proof.

    client          the read path; begin here
    verified_tree   one tree, as it can be believed
    log_formats     what a client knows of one kind of log: paths, limits, parsing
    tiles           fetching tiles and bundles; what stands in for one that is gone
    fetcher         what reads a log at an address
    http_fetcher    over HTTP
    fsspec_fetcher  from any URL of fsspec
    memories        what a client asks of the memories it is given
    trust           which key a log is read with, and why

What is fetched is anybody's bytes until it hashes up to a signed root.
"""
