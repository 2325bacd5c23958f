"""Statements as PDF, with the extra `pdf`: fpdf2, and Noto fonts that come as packages.

Noto Sans has the rupee sign and the letters of Europe, its Devanagari those of Hindi and Marathi, which are shaped by
HarfBuzz; of other scripts an empty box is shown.
"""

import asyncio
import io
import logging
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from persplit.service.errors import StatementUnavailable
from persplit.service.statements import Statement

if TYPE_CHECKING:
    from fpdf import FPDF

_LATIN: Final = ("fontpkg_noto_sans", "NotoSans[wdth,wght].ttf")
_DEVANAGARI: Final = ("fontpkg_noto_sans_devanagari", "NotoSansDevanagari[wdth,wght].ttf")
_QR_MM: Final = 26.0
_LINE_MM: Final = 6.0
_WIDTHS_MM: Final = (24.0, 82.0, 52.0, 32.0)
"""Day, what, who and amount, across the page."""
_CHARACTERS_MAX: Final = (10, 46, 30, 20)
"""That fit into them; longer texts are cut."""


class PdfStatements:
    """Makes PDFs off the event loop, one at a time: each takes half a second of a processor."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)

    async def pdf(self, statement: Statement) -> bytes:
        """The statement on A4.

        Raises:
            StatementUnavailable: the extra `pdf` isn't installed.

        """
        async with self._turn:
            return await asyncio.to_thread(_drawn, statement)


def _drawn(statement: Statement) -> bytes:
    page = _page()
    page.set_font(size=18)
    page.multi_cell(0, 10, statement.title, align="L", new_x="LMARGIN", new_y="NEXT")
    page.set_font(size=10)
    page.cell(0, _LINE_MM, f"As of {statement.as_of}", new_x="LMARGIN", new_y="NEXT")
    _heading(page, "Balances")
    for name, amount in statement.balances:
        page.cell(100, _LINE_MM, name[:50])
        page.cell(0, _LINE_MM, amount, align="R", new_x="LMARGIN", new_y="NEXT")
    _heading(page, "Who pays whom" if statement.payments else "Everybody is settled up")
    for payment in statement.payments:
        _payment(page, f"{payment.from_name[:30]} pays {payment.to_name[:30]}", payment.amount, payment.qr)
    if statement.loans:
        _heading(page, "Loans, beside the balances")
    for loan in statement.loans:
        page.cell(100, _LINE_MM, f"{loan.borrower[:30]} is to repay {loan.lender[:30]}")
        page.cell(0, _LINE_MM, loan.to_repay, align="R", new_x="LMARGIN", new_y="NEXT")
        page.cell(0, _LINE_MM, loan.terms, new_x="LMARGIN", new_y="NEXT")
    _heading(page, "What it was for")
    for entry in statement.entries:
        _row(page, (entry.date, entry.what, entry.who, entry.amount))
    if statement.earlier:
        page.cell(0, _LINE_MM, f"… and {statement.earlier} before these", new_x="LMARGIN", new_y="NEXT")
    return bytes(page.output())


def _page() -> "FPDF":
    try:
        from fpdf import FPDF  # noqa: PLC0415 - an extra

        latin, devanagari = (files(package) / "files" / name for package, name in (_LATIN, _DEVANAGARI))
    except ImportError:
        raise StatementUnavailable("this server has no extra `pdf`: it makes no statements") from None
    # It would log letters of people's names that no font has.
    logging.getLogger("fpdf").setLevel(logging.ERROR)
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    page = FPDF(format="A4")
    page.set_creator("PerSplit")
    page.add_font("latin", "", str(latin))
    page.add_font("devanagari", "", str(devanagari))
    page.set_fallback_fonts(["devanagari"])
    page.set_text_shaping(True)
    page.add_page()
    page.set_font("latin", size=10)
    return page


def _heading(page: "FPDF", words: str) -> None:
    page.ln(4)
    page.set_font(size=13)
    page.cell(0, 8, words, new_x="LMARGIN", new_y="NEXT")
    page.set_font(size=10)


def _payment(page: "FPDF", words: str, amount: str, qr: bytes | None) -> None:
    """A row of the plan, with the QR to its right where there is one."""
    height = _LINE_MM if qr is None else _QR_MM + 2
    if page.get_y() + height > page.page_break_trigger:
        page.add_page()
    top = page.get_y()
    if qr is not None:
        page.image(io.BytesIO(qr), x=page.w - page.r_margin - _QR_MM, y=top, w=_QR_MM)
    page.cell(100, _LINE_MM, words)
    page.cell(40, _LINE_MM, amount, align="R")
    page.set_xy(page.l_margin, top + height)


def _row(page: "FPDF", cells: tuple[str, ...]) -> None:
    for cell, width, length in zip(cells, _WIDTHS_MM, _CHARACTERS_MAX, strict=True):
        page.cell(width, _LINE_MM, cell[:length], align="R" if cell is cells[-1] else "L")
    page.ln(_LINE_MM)
