"""The frames of the WebSocket's server, read by another implementation."""

import pytest
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from pingsite.server import make_frame


def read_frame(data: bytes) -> Frame:
    stream = StreamReader()
    stream.feed_data(data)
    parser = Frame.parse(stream.read_exact, mask=False)
    with pytest.raises(StopIteration) as end:
        next(parser)
    assert not stream.buffer
    frame: Frame = end.value.value
    return frame


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
def test_a_text_of_any_length_is_one_whole_frame(length: int) -> None:
    frame = read_frame(make_frame("x" * length))
    assert (frame.opcode, frame.fin, bytes(frame.data)) == (Opcode.TEXT, True, b"x" * length)


def test_the_length_is_that_of_the_bytes() -> None:
    assert bytes(read_frame(make_frame("핑" * 60)).data).decode() == "핑" * 60
