"""Tables as messages of a channel, and how they get there."""

from burgee_server.cli.messages.forms import FORMS, Message
from burgee_server.cli.messages.webhook import Webhook

__all__ = ["FORMS", "Message", "Webhook"]
