"""The control store: projects, keys, flags and profiles in a relational database."""
