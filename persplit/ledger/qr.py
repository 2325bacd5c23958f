"""QR codes as modules: what every drawing of one starts from, an image's as well as a terminal's."""

from typing import Final, TypeAlias

TEXT_BYTES_MAX: Final = 512
"""UTF-8 bytes in one code. Our longest payment link has 482; 512 make a version 18, which phones still read."""

BORDER_MODULES: Final = 4
"""The quiet zone that ISO 18004 asks for."""

MASK_PATTERN: Final = 1
"""One mask for every code. Trying all eight for the prettiest takes four times as long; readers don't care."""

Matrix: TypeAlias = list[list[bool]]
"""Rows of modules, quiet zone included; true is dark."""


def matrix_of(text: str) -> Matrix:
    """The code that says `text`: level M, the smallest version that holds it.

    Raises:
        ValueError: the text is empty, has over TEXT_BYTES_MAX bytes or a NUL.

    """
    # Not before the first code: a start does without.
    from qrcode import QRCode  # noqa: PLC0415 - as above
    from qrcode.constants import ERROR_CORRECT_M  # noqa: PLC0415 - as above
    from qrcode.util import MODE_8BIT_BYTE, QRData  # noqa: PLC0415 - as above

    data = text.encode()
    if not 1 <= len(data) <= TEXT_BYTES_MAX or b"\0" in data:
        raise ValueError(f"a QR takes from 1 to {TEXT_BYTES_MAX} bytes of text")
    code = QRCode(error_correction=ERROR_CORRECT_M, border=BORDER_MODULES, mask_pattern=MASK_PATTERN)
    # Always bytes: the library falls over a block of nothing but zeros, as a long run of digits would make by itself.
    code.add_data(QRData(data, mode=MODE_8BIT_BYTE))
    code.make()
    matrix: Matrix = code.get_matrix()
    return matrix
