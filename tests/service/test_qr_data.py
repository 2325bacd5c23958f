"""QR images inside JSON."""

import base64

from persplit.service.ports import QrRenderer
from persplit.service.qr_data import data_url


class Echo(QrRenderer):
    """Draws the text as itself."""

    async def png(self, text: str) -> bytes:
        return b"png of " + text.encode()

    async def svg(self, text: str) -> bytes:
        return b"svg of " + text.encode()


async def test_a_data_url_carries_the_png_of_the_text() -> None:
    kind, _, data = (await data_url(Echo(), "upi://pay")).partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(data) == b"png of upi://pay"
