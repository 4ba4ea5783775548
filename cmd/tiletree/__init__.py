"""The command line of tiletree."""
