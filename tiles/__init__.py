"""A transparency log that is nothing but files."""

__version__ = "0.1.0"
