"""How often each part of a receipt is read right, over made-up ones. Run by scripts/receipts."""

import asyncio
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final

from persplit.adapters.pictures import cleaned
from persplit.adapters.receipt_reader import ReceiptReader
from persplit.receipts.labels import Label
from persplit.receipts.page import rows_of
from persplit.receipts.reading import read
from persplit.receipts.receipt import Money, Receipt
from tests.receipts.rendering import KINDS, Truth, receipt

EACH_DEFAULT: Final = 12
"""Of each kind, scanned and photographed: 72 in all."""
FIRST_SEED: Final = 1_000
"""Others than those by which the reading was made."""
FIELDS: Final = ("merchant", "date", "items' amounts", "items' names", "tax", "tip", "total", "adds up")


def same(one: str | None, other: str) -> bool:
    """Equal but for spaces and case."""
    return one is not None and one.replace(" ", "").casefold() == other.replace(" ", "").casefold()


def judged(found: Receipt, truth: Truth) -> Mapping[str, Sequence[bool]]:
    """For each field what was right: once a receipt, or once an item."""
    amounts = [item.amount for item in found.items]
    names = [item.name for item in found.items]
    are_as_many = len(names) == len(truth.items)
    return {
        "merchant": [same(found.merchant.value if found.merchant else None, truth.merchant)],
        "date": [found.date is not None and found.date.value == truth.date],
        "items' amounts": [are_as_many and amounts[n] == amount for n, (_, amount) in enumerate(truth.items)],
        "items' names": [are_as_many and same(names[n], name) for n, (name, _) in enumerate(truth.items)],
        "tax": [_value(found.sum_of(Label.TAX)) == truth.tax],
        "tip": [_value(found.sum_of(Label.TIP)) == truth.tip],
        "total": [_value(found.total) == truth.total],
        "adds up": [found.total is not None and found.difference == 0],
    }


def _value(money: Money | None) -> int:
    return 0 if money is None else money.value


async def measured(each: int) -> None:
    """Read so many of each kind and way, and print the table."""
    reader = ReceiptReader(1)
    right: dict[tuple[str, str], dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    seconds: list[float] = []
    for kind in KINDS:
        for way, is_photo in (("scanned", False), ("crumpled photo", True)):
            for seed in range(FIRST_SEED, FIRST_SEED + each):
                truth, picture = receipt(kind, seed, is_photo=is_photo)
                began = time.perf_counter()
                words = await reader.words(cleaned(picture).body)
                found = read(rows_of(words), 2)
                seconds.append(time.perf_counter() - began)
                for field, results in judged(found, truth).items():
                    right[kind, way][field] += results
    await reader.close()
    _print(right, seconds)


def _print(right: Mapping[tuple[str, str], Mapping[str, list[bool]]], seconds: Sequence[float]) -> None:
    lines = ["| receipts | " + " | ".join(FIELDS) + " |", "| --- |" + " --- |" * len(FIELDS)]
    for (kind, way), fields in right.items():
        count = len(fields["total"])
        lines.append(
            f"| {count} {kind}, {way} | " + " | ".join(_part(fields[field]) for field in FIELDS) + " |"
        )
    every = {field: [it for fields in right.values() for it in fields[field]] for field in FIELDS}
    lines.append(
        f"| **all {len(every['total'])}** | " + " | ".join(_part(every[field]) for field in FIELDS) + " |"
    )
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    lines.append("")
    lines.append(
        f"Seconds for one: {median(seconds):.1f} (median), {max(seconds):.1f} (longest, with the start of"
    )
    lines.append(f"the process); memory of the process that reads: {peak_mb:.0f} MB.")
    sys.stdout.write("\n".join(lines) + "\n")


def _part(results: Sequence[bool]) -> str:
    return f"{100 * sum(results) / len(results):.0f} %" if results else ""


if __name__ == "__main__":
    asyncio.run(measured(int(sys.argv[1]) if len(sys.argv) > 1 else EACH_DEFAULT))
