"""QR codes for a terminal."""

from typing import Final

from persplit.ledger.qr import matrix_of

_WHITE_ON_BLACK: Final = "\x1b[38;5;231;48;5;16m"
_RESET: Final = "\x1b[0m"


def terminal(text: str) -> str:
    """The code in half blocks, lines ended by newlines, for a terminal of any colours. Raises like `matrix_of`.

    Light modules are drawn, in explicit white on black: where colours are stripped it still is right on a dark
    terminal.
    """
    matrix = matrix_of(text)
    matrix.append([True] * len(matrix))  # an odd number of rows: the lower half of the last line stays black
    pairs = zip(matrix[::2], matrix[1::2], strict=True)
    lines = (
        "".join(" ▄▀█"[2 * (not up) + (not low)] for up, low in zip(*pair, strict=True)) for pair in pairs
    )
    return "".join(f"{_WHITE_ON_BLACK}{line}{_RESET}\n" for line in lines)
