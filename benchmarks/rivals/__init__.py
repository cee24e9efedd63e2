"""Other SDKs, a module each: every one evaluates in process, from flags in its memory, with no network and no events.

`sdk()` makes one ready. Each is set up the way that costs it least: events, metrics
and refreshing are off.
"""
