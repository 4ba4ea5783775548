"""`python -m tiletree` is the command `tiletree`."""

from tiletree.cli import main

main()
