"""Clients for tests: flags as the test says, events and changes kept where it can look; no server and no thread."""

from burgee.testing.clients import FakeAsyncClient, FakeClient
from burgee.testing.kept import CapturedEvent, ProfileChange

__all__ = ["CapturedEvent", "FakeAsyncClient", "FakeClient", "ProfileChange"]
