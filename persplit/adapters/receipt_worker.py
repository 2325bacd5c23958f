"""A process that reads words in pictures: `python -m persplit.adapters.receipt_worker`, from its standard input.

A message is its length in four bytes (big-endian) and then so many: pictures come in, lists of words go out as JSON,
`[[text, score, [[x, y] of the four corners, from the top left, clockwise]], …]`; null for a picture that can't be
read. It ends with its input. The models are in the package; nothing is fetched.
"""

import io
import json
import os
import struct
import sys
from contextlib import suppress
from typing import IO, Any, Final

from persplit.service.ports import FILE_BYTES_MAX, PIXELS_MAX

HEADER: Final = struct.Struct(">I")
MEMORY_BYTES_MAX: Final = 6 * 1024**3
"""Of addresses, most of which are never used: the models and a large picture take half a gigabyte."""
SIDE_MAX_PX: Final = 2_000
"""A picture is made smaller than this first: letters of a receipt are large enough then, and time is bounded."""
NICENESS: Final = 10
"""Whoever asks for a receipt can wait; everybody else's commands come first."""


def main() -> None:
    """Serve until the input ends."""
    bounded()
    pictures = sys.stdin.buffer
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # Whatever else is printed by a library must not come between.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    engine = engine_of()
    while (picture := received(pictures)) is not None:
        answer = json.dumps(words_of(engine, picture)).encode()
        answers.write(HEADER.pack(len(answer)) + answer)
        answers.flush()


def bounded() -> None:
    """Take no more memory than that, and step back behind the server."""
    with suppress(ImportError, OSError, ValueError):  # Windows has none of it
        import resource  # noqa: PLC0415 - as above

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
        os.nice(NICENESS)


def received(file: IO[bytes]) -> bytes | None:
    """The next message; None at the end."""
    header = file.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    (length,) = HEADER.unpack(header)
    return file.read(length) if length <= FILE_BYTES_MAX else None


def engine_of() -> Any:
    """The reader, with its models loaded. It uses one thread: the number of processes bounds the rest."""
    from rapidocr import RapidOCR  # noqa: PLC0415 - an extra

    return RapidOCR(
        params={
            "Global.log_level": "error",
            "Global.max_side_len": SIDE_MAX_PX,
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def words_of(engine: Any, picture: bytes) -> list[Any] | None:
    """What the engine reads; None for a picture that can't be decoded, or is too large for the memory."""
    import numpy as np  # noqa: PLC0415 - comes with the extra
    from PIL import Image  # noqa: PLC0415 - not before the memory is bounded

    try:
        with Image.open(io.BytesIO(picture)) as opened:
            if opened.width * opened.height > PIXELS_MAX:
                return None
            opened.thumbnail((SIDE_MAX_PX, SIDE_MAX_PX))
            pixels = np.asarray(opened.convert("RGB"))[:, :, ::-1]
        found = engine(pixels)
    except (OSError, ValueError, MemoryError):
        return None
    if found.txts is None:
        return []
    return [
        [text, float(score), box.tolist()]
        for text, score, box in zip(found.txts, found.scores, found.boxes, strict=True)
    ]


if __name__ == "__main__":
    main()
