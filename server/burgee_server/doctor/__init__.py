"""Looks at everything that a server needs, beside one that runs or without one, and says what is wrong and what to do.

It changes nothing, but for a file that it makes in the directory and removes again.
"""

from burgee_server.doctor.examination import examine

__all__ = ["examine"]
