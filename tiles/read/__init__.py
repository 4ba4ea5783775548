"""From an address to a verdict: fetchers, the tree as it can be believed, the client."""
