"""Other SDKs, a module each: every one evaluates in process, from flags in its memory, with no network and no events.

A module is named as its import is; `sdk()` makes it ready. Each is set up the way that costs it least: events, metrics
and refreshing are off.
"""
