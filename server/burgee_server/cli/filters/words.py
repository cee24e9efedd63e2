"""What a typed filter is made of, beside what stands in quotes: words, and `and`, `or`, `not` between them."""

import re

AND, OR, NOT = "and", "or", "not"
KEYWORDS = frozenset({AND, OR, NOT})

BARE = re.compile(r"""[^\s(),"'\[][^\s(),]*""")
"""A word that needs no quotes, unless it is one of the keywords."""


def is_key(attribute: str) -> bool:
    """Whether an attribute is the key of a user or a group: it is compared with texts, whatever they look like."""
    owner, _, name = attribute.partition(".")
    return owner != "event" and name == "key"
