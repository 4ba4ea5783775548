"""The tree itself. Pure: bytes and values in, bytes and values out; no file, clock or chance.

    merkle  hashing as RFC 6962 defines it; sizes, roots, tree heads
    proof   inclusion and consistency proofs: which nodes, building, verifying
    layout  where tiles and entry bundles are: coordinates ↔ paths
    tile    hashes ↔ the bytes of tiles; the tiles by which a level grows
    ct_bundle sumdb_bundle   entries of logs of certificates and of Go's checksum database ↔ bytes
    bundle  entries ↔ the bytes of entry bundles
    edge    the right edge of a tree: what is needed to append to it
    plan    what a batch writes: (right edge, entries) → objects, new root
    places  where nodes stand in tiles, and which tiles lead up to the edge
    heights the hashes of a tile at each height, computed once
    reader  which tiles a reader needs, and which hashes it may believe
    blame   who is wrong where tiles and bundles disagree

Its modules are public. It imports errors, and nothing else of the library.
"""
