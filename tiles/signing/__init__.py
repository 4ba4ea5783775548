"""Keys where they are kept, and the rule that nothing is signed that does not extend the anchor."""
