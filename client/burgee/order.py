"""Changes of profiles on their way: those of one person or group in order, those of different ones side by side."""

from collections import deque

from burgee.parcel import Parcel, Profile


class Order:
    """Not thread-safe: whoever has it holds a lock."""

    def __init__(self) -> None:
        self._by_profile: dict[Profile, deque[Parcel]] = {}
        self._ready: deque[Profile] = deque()  # profiles that have a change waiting, and none on its way

    def add(self, profile: Profile, change: Parcel) -> None:
        """After all others of its profile."""
        if waiting := self._by_profile.get(profile):
            waiting.append(change)
        else:
            self._by_profile[profile] = deque((change,))
            self._ready.append(profile)

    def take(self) -> Parcel:
        """The next one that may go. Raises IndexError if none may."""
        return self._by_profile[self._ready.popleft()][0]

    def settle(self, profile: Profile) -> None:
        """The change of this profile that was on its way has arrived, or is given up: the next one may go."""
        if waiting := self._by_profile.get(profile):
            waiting.popleft()
            if waiting:
                self._ready.append(profile)
            else:
                del self._by_profile[profile]

    def __bool__(self) -> bool:
        """May any go?"""
        return bool(self._ready)
