"""The generated messages of the journal."""
