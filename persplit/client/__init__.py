"""Clients of a PerSplit server. They see the pure ledger and the wire, nothing of the server."""
