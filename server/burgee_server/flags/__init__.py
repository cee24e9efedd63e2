"""Flags: how they change, and what they answer."""

from burgee_server.flags.answers import Answers
from burgee_server.flags.catalog import Catalog
from burgee_server.flags.checks import Answer, Checks
from burgee_server.flags.lifecycle import Lifecycle
from burgee_server.flags.past import Past
from burgee_server.flags.preview import Previews
from burgee_server.flags.stored import Stored
from burgee_server.flags.watch import Watch

__all__ = ["Answer", "Answers", "Catalog", "Checks", "Lifecycle", "Past", "Previews", "Stored", "Watch"]
