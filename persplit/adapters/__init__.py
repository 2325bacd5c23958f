"""The adapters: each port made of a concrete product."""
