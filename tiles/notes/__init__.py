"""Everything that is signed, one module for each specification of c2sp.org. Pure."""
