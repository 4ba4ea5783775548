"""The tree itself: hashing, proofs, tiles, bundles, the plan of a batch, what a reader may believe. Pure."""
