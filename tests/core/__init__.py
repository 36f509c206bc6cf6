"""What typing is, tested without I/O: tables, properties, and one model of the wire."""
