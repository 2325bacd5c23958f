"""The day where the user is."""

from datetime import date


def today() -> date:
    """The user's own day is meant, not that of UTC."""
    return date.today()  # noqa: DTZ011 - as it says
