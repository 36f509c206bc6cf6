"""What typing is, tested without I/O: tables, properties, and one model of the wire."""

from hypothesis import settings

# A machine that is busy with something else must not fail a property for being slow. With CI in
# the environment Hypothesis draws the same examples each time.
PROPERTY = settings(max_examples=50, deadline=None)
