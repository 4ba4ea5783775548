"""From an address to a verdict.

    fetcher          opens a log at any address; http_fetcher and fsspec_fetcher are two of the ways
    http_answers http_ranges             what an answer without the object means, and one with a part of it
    connections redirects fsspec_http    whom both of these connect to, and which redirects they follow
    tiles            fetches tiles and bundles, one or many
    bundles          which entries of a bundle are believed
    trouble          whether the log or the way to it is to blame for what will not do, and where it was read
    log_formats      what differs between kinds of logs: paths, limits, bundles, leaf hashes
    verified_tree    one tree, as it can be believed
    client           checkpoint, proofs, entries, search; compares with what was seen before
    other_layouts    names a log that is none of tlog-tiles, where one of its objects is missing
    histories        whether two checkpoints are of one history, and where the evidence is kept if not
    consistency      a consistency proof between two sizes of one log
    memories         what the client wants remembered, as Protocols
    withheld         which entries a log withholds, held to its tree
    endorsed         the newest endorsement that a log keeps, and proofs of entries in its tree
    trust            with which policy a log is read

The rule: fetchers return bytes that anyone may have written; only `verified_tree` and `client` decide what is believed.
"""
