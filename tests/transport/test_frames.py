"""Frames that clients send."""

from hypothesis import given
from hypothesis import strategies as st

from persplit.transport.frames import BadFrame, GuardedPacket


@given(st.text() | st.text(alphabet='0123456-/,[]{}":ab\\ud8').map(lambda text: "2" + text))
def test_a_packet_is_read_or_is_a_bad_frame(text: str) -> None:
    try:
        read = GuardedPacket(encoded_packet=text or "x")
    except BadFrame:
        return
    assert read.packet_type in range(4)
    assert read.namespace is None
    assert read.attachment_count == 0
