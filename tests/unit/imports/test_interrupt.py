"""Ctrl-C in the middle of an import."""

import signal

import pytest

from burgee_server.cli.imports.interrupt import Interrupt


def press() -> None:
    """Ctrl-C."""
    signal.raise_signal(signal.SIGINT)


def test_ctrl_c_between_items_ends_with_the_item_that_is_being_worked_on():
    """Nothing is cut short; it is said at once."""
    said = []
    done = []
    with Interrupt(lambda: said.append("stopping")) as interrupt:
        for item in interrupt.until_interrupted(range(10)):
            if item == 3:
                press()
            done.append(item)
    assert done == [0, 1, 2, 3]
    assert said == ["stopping"]
    assert interrupt.happened


def test_ctrl_c_while_the_next_item_is_waited_for_ends_the_waiting():
    """As where standard input has nothing to say."""

    def items():
        yield 1
        press()
        yield 2

    with Interrupt(lambda: None) as interrupt:
        assert list(interrupt.until_interrupted(items())) == [1]
    assert interrupt.happened


def test_the_second_ctrl_c_ends_whatever_is_being_done():
    """Also where a server is waited for."""
    with Interrupt(lambda: None):
        press()
        with pytest.raises(KeyboardInterrupt):
            press()


def test_afterwards_ctrl_c_is_what_it_was():
    """Nothing happened, nothing stays."""
    before = signal.getsignal(signal.SIGINT)
    with Interrupt(lambda: None) as interrupt:
        assert list(interrupt.until_interrupted([1, 2])) == [1, 2]
    assert signal.getsignal(signal.SIGINT) is before
    assert not interrupt.happened
