"""Tests: `<package>/test_<module>.py` mirrors `tiles/`; `support/` helps, `scenarios/` need many modules."""
