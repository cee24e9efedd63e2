"""What properties a profile may have, each by itself; how much they may be together, PropertyChange says."""

from burgee_server.names import MAX_NAME, name_fault, require
from burgee_server.ports.profiles import PropertyChange


def check_change(change: PropertyChange) -> None:
    """Raise Invalid, naming the property, for a name that will not do."""
    for field, names in (("set", change.set), ("set_once", change.set_once), ("unset", change.unset)):
        for name in names:
            require(f"change.{field}.{name[:MAX_NAME]}", name_fault(name))
