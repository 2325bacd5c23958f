"""How to pay a transfer: its QR in the terminal, with what a payer has to know about UPI."""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

from rich.console import RenderableType
from rich.text import Text

from persplit.client.reading import PlanRow
from persplit.client.terminal_qr import terminal
from persplit.client_cli.money import money
from persplit.client_cli.output import text
from persplit.client_cli.tables import transfer
from persplit.client_cli.views import GroupView
from persplit.ledger.upi import P2P_LIMIT_PAISE, QR_GALLERY_LIMIT_PAISE, payment_link


def upi_id(link: str) -> str:
    """Whom a payment link pays."""
    return parse_qs(urlsplit(link).query)["pa"][0]


def warnings(amount: int) -> Iterator[str]:
    """What to know before paying so many paise by UPI."""
    yield "Scan it with another phone's camera: UPI apps decline such a link when it is tapped on the payer's own."
    if amount > QR_GALLERY_LIMIT_PAISE:
        limit = money(QR_GALLERY_LIMIT_PAISE, "INR")
        yield f"Don't send this QR as a picture: from the gallery, UPI apps take at most {limit} between people."
    if amount > P2P_LIMIT_PAISE:
        parts = -(-amount // P2P_LIMIT_PAISE)
        limit = money(P2P_LIMIT_PAISE, "INR")
        yield f"One payment between people is at most {limit}: pay this in {parts} parts, by UPI id."
    yield "Before paying, check the name that the bank gives in your UPI app."


def asked(row: PlanRow, amount: int, view: GroupView) -> PlanRow:
    """The same transfer with another amount, its link too."""
    if row.upi_link is None:
        return replace(row, amount=amount)
    link = payment_link(upi_id(row.upi_link), view.name(row.to_id), amount, view.title)
    return replace(row, amount=amount, upi_link=link)


def how_to_pay(view: GroupView, row: PlanRow) -> Iterator[RenderableType]:
    """The transfer, its QR and the UPI id to type; or what is missing for them."""
    yield text(transfer(view, row.from_id, row.to_id, row.amount), "bold")
    if row.upi_link is None:
        yield text(no_link(view, row.to_id), "yellow")
        return
    yield Text.from_ansi(terminal(row.upi_link))
    yield text(f"UPI id: {upi_id(row.upi_link)}   amount: {money(row.amount, view.currency)}")
    for words in warnings(row.amount):
        yield text(words, "yellow")


def no_link(view: GroupView, to_id: str) -> str:
    """Why there is nothing to scan."""
    if view.currency != "INR":
        return f"UPI pays in INR, and this group counts in {view.currency}: pay in another way, then note it with `settle`."
    return f"No UPI id of {view.shown_name(to_id)} is known here: pay in another way, then note it with `settle`."
