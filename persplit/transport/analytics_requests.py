"""What may be asked of all groups together."""

from typing import Annotated, Self

from pydantic import Field, StrictInt, model_validator

from persplit.ledger.errors import FieldError, Invalid
from persplit.service.analytics import Period
from persplit.service.tallies import FIRST_DAY, LAST_DAY
from persplit.transport import fields as f
from persplit.transport.requests import Request

ROWS_MAX = 100
ROWS_DEFAULT = 10


class OfPeriod(Request):
    """Days from `from` to `to`, both included; without them: since ever, and until today and beyond."""

    from_: f.Day = Field(FIRST_DAY, alias="from", description="the first day")
    to: f.Day = Field(LAST_DAY, description="the last day")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_ > self.to:
            raise Invalid(FieldError("to", "before `from`"))
        return self

    @property
    def period(self) -> Period:
        """The days."""
        return Period(self.from_, self.to)


class RowsOfPeriod(OfPeriod):
    """The first so many of a period."""

    limit: Annotated[StrictInt, Field(ge=1, le=ROWS_MAX, description="at most so many")] = ROWS_DEFAULT
