"""In which order changes of profiles may go."""

from burgee.order import Order
from burgee.parcel import Parcel, pack_change, unpack
from burgee.profiles import alias_change, person_change


def identify(who: str) -> Parcel:
    """A change of a person."""
    return pack_change(("user", who), person_change(who, {"a": 1}, None, ()))


def alias(who: str, other: str) -> Parcel:
    """Two persons become one."""
    return pack_change(("user", who), alias_change(who, other))


def test_two_become_one_after_all_that_was_said_of_either_and_before_what_is_said_later() -> None:
    """And others go side by side with it."""
    order = Order()
    first, second, both, later, last, other = (
        identify("ann"), identify("anon"), alias("ann", "anon"), identify("anon"), identify("ann"), identify("bob"),
    )  # fmt: skip
    for change in (first, second, both, later, last, other):
        order.add(change)

    assert [order.take(), order.take(), order.take()] == [first, second, other]
    assert not order
    order.settle(second)
    assert not order
    order.settle(first)
    assert order.take() is both
    assert not order
    order.settle(both)
    assert {order.take(), order.take()} == {later, last}
    for change in (later, last, other):
        order.settle(change)
    assert not order


def test_an_alias_from_the_spool_waits_for_the_same() -> None:
    """What a process left behind is no less in order; an id that is its own alias is one profile."""
    change = alias("ann", "anon")
    assert unpack(change.kind, 1, change.request).profiles == change.profiles == (("user", "ann"), ("user", "anon"))
    assert alias("ann", "ann").profiles == (("user", "ann"),)
