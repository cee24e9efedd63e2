"""The wire: one thin servicer a service, and the door that every call comes through."""
