"""QR images inside JSON."""

import base64

from persplit.service.ports import QrRenderer


async def data_url(codes: QrRenderer, text: str) -> str:
    """The QR of the text as a `data:image/png;base64,` URL."""
    return "data:image/png;base64," + base64.b64encode(await codes.png(text)).decode()
