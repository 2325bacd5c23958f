"""The use cases and their ports: what PerSplit does, apart from how it is stored and carried."""
