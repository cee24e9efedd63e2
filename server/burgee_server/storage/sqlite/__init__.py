"""The journal of a single node, in a SQLite file of its own."""
