"""An explicit-state model of the commit; README.md says how to run it."""
