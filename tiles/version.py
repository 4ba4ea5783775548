"""The version of tiletree."""

__version__ = "0.2.0"
