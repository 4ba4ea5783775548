"""From an address to a verdict.

    fetcher          opens a log at any address; http_fetcher and fsspec_fetcher are two of the ways
    addresses elsewhere                  one log at several addresses, and whether all of them show one history
    http_answers http_ranges             what an answer without the object means, and one with a part of it
    http_post        sends something to a server, and reads its short answer
    http_stream web_file                 an object as it comes over HTTP; one file at a URL, and what stands beside it
    checksums        lists of files and their digests, as `sha256sum` writes them
    connections redirects fsspec_http    whom both of these connect to, and which redirects they follow
    tiles            fetches tiles and bundles, one or many
    bundles          which entries of a bundle are believed
    trouble          whether the log or the way to it is to blame for what will not do, and where it was read
    log_formats      what differs between kinds of logs: paths, limits, bundles, leaf hashes
    go_sumdb static_ct                   two more of them: Go's checksum database, and logs of certificates
    layouts          the formats by name, and which one a log has
    looked_up        an entry of a checksum database, by module and version
    runs             bundles and tiles that workers read, and hand over if they lead to a hash that is believed
    spread           bundles of a log, in order, that workers read ahead
    verified_tree    one tree, as it can be believed
    client           checkpoint, proofs, entries, search; compares with what was seen before
    proofs           proofs of many entries: each tile is read once
    seen_before      that comparison: by all keys that the log has, and had
    other_layouts    names a log that is none of these, where one of its objects is missing
    histories        whether two checkpoints are of one history, and where the evidence is kept if not
    same_history     whether a checkpoint from elsewhere is of the history that is read; how copies of a log stand
    kept             the checkpoints that a log keeps: how it was on a day, by which day an entry was there
    consistency      a consistency proof between two sizes of one log
    memories         what the client wants remembered, as Protocols
    withheld         which entries a log withholds, held to its tree
    pruned           what is missing because the log has pruned it
    key_changes      what a log says of its keys: statements by a key that is known
    key_times        between which times it has used each key, by the checkpoints that it keeps
    endorsed         the newest endorsement that a log keeps, and proofs of entries in its tree
    trust            with which policy a log is read

The rule: fetchers return bytes that anyone may have written; only `verified_tree` and `client` decide what is believed.
"""
