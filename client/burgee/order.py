"""Changes of profiles on their way: those of one person or group in order, those of different ones side by side."""

from collections import deque

from burgee.parcel import Parcel, Profile


class Order:
    """Not thread-safe: whoever has it holds a lock."""

    def __init__(self) -> None:
        self._by_profile: dict[Profile, deque[Parcel]] = {}
        self._ready: deque[Parcel] = deque()  # the first of each of their profiles, and not on their way

    def add(self, change: Parcel) -> None:
        """After all others of its profiles."""
        for profile in change.profiles:
            self._by_profile.setdefault(profile, deque()).append(change)
        if self._is_first(change):
            self._ready.append(change)

    def take(self) -> Parcel:
        """The next one that may go. Raises IndexError if none may."""
        return self._ready.popleft()

    def settle(self, change: Parcel) -> None:
        """A change that was on its way has arrived, or is given up: the next ones of its profiles may go."""
        following: dict[Parcel, None] = {}
        for profile in change.profiles:
            waiting = self._by_profile.get(profile)
            if not waiting or waiting[0] is not change:
                continue
            waiting.popleft()
            if waiting:
                following[waiting[0]] = None
            else:
                del self._by_profile[profile]
        self._ready += filter(self._is_first, following)

    def _is_first(self, change: Parcel) -> bool:
        return all(self._by_profile[profile][0] is change for profile in change.profiles)

    def __bool__(self) -> bool:
        """May any go?"""
        return bool(self._ready)
