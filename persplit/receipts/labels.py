"""What the words beside an amount say that it is, though a letter or two were misread."""

import re
from enum import StrEnum
from typing import Final


class Label(StrEnum):
    """What a row is about."""

    TOTAL = "total"
    """What is to be paid, by a name that nothing else has: Grand Total, Net Payable."""
    PLAIN_TOTAL = "plain_total"
    """`Total` alone: mostly that, but some call the sum of the items so."""
    SUBTOTAL = "subtotal"
    TAX = "tax"
    SERVICE = "service"
    PACKING = "packing"
    TIP = "tip"
    DISCOUNT = "discount"
    ROUNDING = "rounding"
    PAYMENT = "payment"
    NOISE = "noise"


CHARGES: Final = frozenset(
    {Label.TAX, Label.SERVICE, Label.PACKING, Label.TIP, Label.DISCOUNT, Label.ROUNDING}
)
"""What comes on top of the items, or off them."""

# In this order: a longer name holds a shorter one (`subtotal`, `total`; `service tax`, `service charge`).
_NAMES: Final = {
    Label.SUBTOTAL: "subtotal grossamt grossamount grosstotal itemtotal itemstotal foodtotal basicamount taxableamount "
    "taxablevalue beforetax",
    Label.NOISE: "totalqty totalitems totalquantity totalsavings totalsaving yousaved yousave taxinvoice taxinv gstin "
    "gstno fssai invoiceno invoice billno receiptno orderno tokenno tableno cashier waiter captain server phone tel "
    "mobile date time items covers pax kot hsn thankyou visitagain customer address counter terminal vatno tin "
    "gstincluded includedin gstsummary pumpno nozzleno attendant vehicle",
    Label.TOTAL: "grandtotal netpayable netamount netamt nettotal netbill amountpayable amtpayable totalpayable payable "
    "billamount billamt billtotal totalamount totalamt totaldue amountdue balancedue topay totalrs totalinr",
    Label.SERVICE: "servicecharge servicecharges servchg servcharge svccharge svcchrg sercharge",
    Label.TAX: "cgst sgst igst utgst gst vat cess servicetax salestax tax",
    Label.PACKING: "packing packaging parcel delivery container handling",
    Label.TIP: "tip gratuity tips",
    Label.DISCOUNT: "discount disc offer coupon lessdiscount promo rebate",
    Label.ROUNDING: "roundoff rounding roundedoff roundof rounded roff",
    Label.PAYMENT: "cash card upi paidby paid tendered tender change balance paytm gpay phonepe visa mastercard debit credit "
    "refund",
    Label.PLAIN_TOTAL: "total totai",
}  # fmt: skip
_LOOKALIKES: Final = str.maketrans({"0": "o", "1": "l", "5": "s", "8": "b", "|": "l", "$": "s", "6": "g"})
_FUZZY_FROM: Final = 4
"""Shorter names have to be right: a letter more or less makes another word of them."""
_SHORT_FUZZY: Final = frozenset({"cgst", "sgst", "igst"})


def label_of(text: str) -> Label | None:
    """What the words say; None for an item, or anything else."""
    words = [_letters(word) for word in re.findall(r"[A-Za-z0-9|$]+", text) if re.search("[A-Za-z]", word)]
    whole = "".join(words)
    if not whole:
        return None
    exact = _first(words, whole, is_fuzzy=False)
    return exact if exact is not None else _first(words, whole, is_fuzzy=True)


def _first(words: list[str], whole: str, *, is_fuzzy: bool) -> Label | None:
    for label, names in _NAMES.items():
        for name in names.split():
            if _is_there(name, words, whole, is_fuzzy=is_fuzzy):
                return label
    return None


def _is_there(name: str, words: list[str], whole: str, *, is_fuzzy: bool) -> bool:
    if not is_fuzzy:
        # A short one would be found within others: `tip` in `multiple`, `tax` in `taxi`.
        return name in words or (len(name) > 6 and name in whole) or whole == name
    if len(name) < _FUZZY_FROM or (len(name) < 6 and name not in _SHORT_FUZZY):
        return False
    allowed = 1 if len(name) < 8 else 2
    return any(_distance(word, name, allowed) <= allowed for word in {*words, whole})


def _letters(word: str) -> str:
    return re.sub("[^a-z]", "", word.lower().translate(_LOOKALIKES))


def _distance(one: str, other: str, most: int) -> int:
    """Levenshtein's; where it is more than `most`, something that is more as well."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        now = [row]
        for column, wanted in enumerate(other, start=1):
            now.append(min(before[column] + 1, now[-1] + 1, before[column - 1] + (letter != wanted)))
        before = now
    return before[-1]
