"""`burgee export`: events of the server into files that `burgee import` and other warehouses read."""
