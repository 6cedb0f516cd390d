"""The hub's request to send a range of frames again."""

from dataclasses import dataclass

from edge.wire import codec
from edge.wire.codec import integer, octets

ASK_TAG = b"peerwatt/ask/1"
MAX_ASK_BYTES = 256


@dataclass(frozen=True, slots=True)
class Ask:
    """Please resend these sequences of this boot; ``ask_id`` makes the answer's message id a new one."""

    ask_id: bytes
    boot_id: bytes
    first: int
    last: int


def encode_ask(ask: Ask) -> bytes:
    """The request as it travels."""
    return codec.pack([ASK_TAG, ask.ask_id, ask.boot_id, ask.first, ask.last])


def decode_ask(data: bytes) -> Ask:
    """Reads a request strictly.

    Raises:
        WireError: one of its leaf classes names the reason.
    """
    fields = codec.unpack(data, limit=MAX_ASK_BYTES)
    codec.expect_tag(fields, ASK_TAG, 5)
    first = integer(fields[3], "first", 1)
    return Ask(
        octets(fields[1], "ask_id", 16), octets(fields[2], "boot_id", 16), first, integer(fields[4], "last", first)
    )
