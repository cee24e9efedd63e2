"""Whose turn it is among calls that have come and not begun."""

from burgee_server.rpc.waiting import WaitingCalls


def taken_out(waiting):
    """All that wait, in the order of their turns."""
    return list(iter(waiting.next, None))


def test_connections_take_turns_and_each_keeps_its_own_order():
    """One that sent three hundred calls first is as one that sent two later."""
    waiting = WaitingCalls()
    for number in range(300):
        waiting.add("storm", number, f"storm {number}")
    for number in (500, 501):
        waiting.add("honest", number, f"honest {number}")

    assert [waiting.next() for _ in range(5)] == ["storm 0", "honest 500", "storm 1", "honest 501", "storm 2"]
    waiting.add("honest", 502, "honest 502")
    assert taken_out(waiting)[:3] == ["storm 3", "honest 502", "storm 4"]
    assert len(waiting) == 0


def test_a_call_that_is_given_up_before_its_turn_never_has_one():
    """And it is told whether it was still waiting; a line of nothing else is passed over."""
    waiting = WaitingCalls()
    for number in range(4):
        waiting.add("storm", number, number + 10)
    waiting.add("honest", 9, 19)
    assert waiting.next() == 10
    assert waiting.give_up(0) is None
    assert [waiting.give_up(number) for number in (1, 2, 2)] == [11, 12, None]
    assert len(waiting) == 2
    assert taken_out(waiting) == [19, 13]
    assert waiting.next() is None
