"""The generated messages and stubs of burgee.v1."""
