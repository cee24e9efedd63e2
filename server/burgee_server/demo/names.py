"""Names for companies and people."""

from random import Random

_FIRST_WORDS = """
    Amber Arctic Atlas Birch Bluefin Bright Cedar Cobalt Copper Coral Delta Ember Falcon Granite Harbor Hazel Indigo
    Iron Juniper Keystone Lantern Lumen Maple Meridian Nimbus North Oak Orchid Pine Quartz
"""
_SECOND_WORDS = "Analytics Foods Freight Group Health Labs Logistics Media Partners Retail Studio Systems Works"
_FIRST_NAMES = """
    Ada Aisha Alan Amara Ana Anton Bea Bo Carla Chen Chidi Dana Diego Elif Emil Eva Farid Finn Grace Hana Hugo Ida Ines
    Ivan Jin Jonas Kai Karim Lea Lena Liam Lucia Maya Mei Milan Mira Nadia Nils Noor Olga Omar Otto Pablo Petra Priya
    Rafa Rosa Sam Sara Sven Tara Theo Uma Vera Wanda Will Yara Yuki Zoe Zuri
"""


def company_names(random: Random, count: int) -> list[str]:
    """That many different names, at most 390."""
    return random.sample(
        [f"{first} {second}" for first in _FIRST_WORDS.split() for second in _SECOND_WORDS.split()], count
    )


def first_names(random: Random, count: int) -> list[str]:
    """That many different names; where there are too few, they are numbered."""
    names = _FIRST_NAMES.split()
    random.shuffle(names)
    rounds = range(count // len(names) + 1)
    return [f"{name}{turn + 1 if turn else ''}" for turn in rounds for name in names][:count]
