"""Who may do what: API keys and what they open, projects and environments."""

from burgee_server.access.administration import Administration
from burgee_server.access.gate import Gate, Permission, Principal
from burgee_server.access.secret import new_secret

__all__ = ["Administration", "Gate", "Permission", "Principal", "new_secret"]
