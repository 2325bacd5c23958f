"""What every answer is made of: the base of all models in `results`, and the smallest parts of many."""

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, RootModel
from pydantic.alias_generators import to_camel

Minor = Annotated[int, Field(description="minor units of the group's currency")]
Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]

T = TypeVar("T")


class Result(BaseModel):
    """An answer: camelCase on the wire; a later version may add fields."""

    # Only the documents need them, and every start would pay for all.
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=False, defer_build=True)


class OneOf(RootModel[T], Generic[T]):
    """An answer, or a part of one, that is one of several models."""

    model_config = ConfigDict(defer_build=True)  # as above


class Posting(Result):
    """One person's part."""

    user_id: str
    amount: Minor


class SplitValue(Result):
    """One person's value, as asked for."""

    user_id: str
    value: int | float


class Item(Result):
    """One line of a bill."""

    name: str
    amount: Minor
    participants: list[str]
