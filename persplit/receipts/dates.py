"""Days as bills in India print them: the day first, then the month, then the year."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

YEARS: Final = (2000, 2099)
_MONTHS: Final = {
    name: number
    for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1)
}
_DIGIT: Final = "[0-9OolI]"
_YEAR_FIRST: Final = re.compile(
    rf"(?<!{_DIGIT})({_DIGIT}{{4}})[-/.]({_DIGIT}{{1,2}})[-/.]({_DIGIT}{{1,2}})(?!{_DIGIT})"
)
_NUMBERS: Final = re.compile(
    rf"(?<![0-9])({_DIGIT}{{1,2}})\s?[-/.,|]\s?({_DIGIT}{{1,2}})\s?[-/.,|]\s?({_DIGIT}{{4}}|{_DIGIT}{{2}})(?![0-9])"
)
_NAMED: Final = re.compile(
    rf"(?<![0-9])({_DIGIT}{{1,2}})(?:st|nd|rd|th)?[-/.,\s]*([A-Za-z0]{{3,9}})[-/.,'\s]*({_DIGIT}{{4}}|{_DIGIT}{{2}})(?![0-9])"
)
_NAME_FIRST: Final = re.compile(
    rf"([A-Za-z]{{3,9}})[-.\s]*({_DIGIT}{{1,2}})(?:st|nd|rd|th)?[,\s]+({_DIGIT}{{4}})(?![0-9])"
)
_LOOKALIKES: Final = str.maketrans({"O": "0", "o": "0", "l": "1", "I": "1"})


def day_of(text: str) -> str | None:
    """The first day that the text names, as YYYY-MM-DD; None if it names none.

    Where the month would be more than twelve, day and month are taken to be the other way round.
    """
    return next(_days(text), None)


def _days(text: str) -> Iterator[str]:
    for year, month, day in _written(text):
        full = year + 2000 if year < 100 else year
        if not YEARS[0] <= full <= YEARS[1]:
            continue
        for one, other in ((month, day), (day, month)):
            try:
                yield date(full, one, other).isoformat()
                break
            except ValueError:
                continue


def _written(text: str) -> Iterator[tuple[int, int, int]]:
    """Year, month and day, as far as they look like it."""
    for found in _YEAR_FIRST.finditer(text):
        yield _number(found[1]), _number(found[2]), _number(found[3])
    for found in _NUMBERS.finditer(text):
        yield _number(found[3]), _number(found[2]), _number(found[1])
    for found in _NAMED.finditer(text):
        if (month := _month(found[2])) is not None:
            yield _number(found[3]), month, _number(found[1])
    for found in _NAME_FIRST.finditer(text):
        if (month := _month(found[1])) is not None:
            yield _number(found[3]), month, _number(found[2])


def _number(digits: str) -> int:
    return int(digits.translate(_LOOKALIKES))


def _month(name: str) -> int | None:
    return _MONTHS.get(name[:3].lower().replace("0", "o"))
