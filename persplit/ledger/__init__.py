"""The pure core: money, shares, events, decide and apply, debts, the settle-up plan.

Nothing here does I/O, reads a clock or makes an id: what it needs comes in as an argument.
"""
