"""How somebody without the key asks for entries to be logged, and what a run takes or refuses."""
