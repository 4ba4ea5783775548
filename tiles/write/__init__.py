"""The commit, from entries to a published checkpoint: docs/data-flow.md argues each step."""
