"""REST: one file per resource, each ending with its list of endpoints."""
