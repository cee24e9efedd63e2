"""The core: what a flag gives whom. Pure: no I/O, no clock, no randomness, no protobuf, no third party."""
