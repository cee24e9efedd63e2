"""`burgee import`: files of events into the server. Nothing of a file is kept in memory but what is on its way."""
