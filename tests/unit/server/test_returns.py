"""When those who were turned away are told to come back."""

from burgee_server.rpc.returns import LEAST_SECONDS, MOST_SECONDS, Returns


class Hands:
    """A clock that is set by hand."""

    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


def busy(each_seconds):
    """A clock, and the returns of a server that answers one call after another in so long."""
    clock = Hands()
    returns = Returns(clock)
    returns.busy()
    for _ in range(1_000):
        clock.now += each_seconds
        returns.left()
    return clock, returns


def test_everybody_is_told_a_time_of_their_own_as_far_apart_as_calls_are_answered():
    """Two calls a second: those who come back when they were told find room, one after another."""
    _, returns = busy(0.5)

    assert [returns.place() for _ in range(4)] == [0.5, 1.0, 1.5, 2.0]


def test_nobody_is_sent_away_for_longer_than_a_quarter_of_a_minute():
    """Nor told to be back at once."""
    _, slow = busy(0.5)
    _, quick = busy(0.001)

    assert max(slow.place() for _ in range(1_000)) == MOST_SECONDS
    assert quick.place() == LEAST_SECONDS


def test_what_was_told_is_over_when_its_time_has_come():
    """The next overload begins anew, with nobody waiting from the last; and idle time is no time that a call took."""
    clock, returns = busy(0.5)
    while returns.place() < MOST_SECONDS:
        pass
    clock.now += 3_600
    returns.busy()

    assert returns.place() == 0.5


def test_who_comes_back_when_told_finds_room():
    """A hundred senders at once, where ten calls a second are answered: each is taken in at its second try."""
    clock, returns = busy(0.1)
    times = [clock.now + returns.place() for _ in range(100)]

    free_at = clock.now
    for time in times:
        assert time > free_at - 0.05
        free_at = max(free_at, time) + 0.1
