"""From an address to a verdict: URL → checkpoint → tiles → proof.

    client          the read path; begin here
    verified_tree   one tree, as it can be believed
    tiles           fetching tiles and bundles; what stands in for one that is gone
    fetcher         what reads a log at an address
    http_fetcher    over HTTP
    fsspec_fetcher  from any URL of fsspec
    trust           which key a log is read with, and why

What is fetched is anybody's bytes until it hashes up to a signed root.
"""
