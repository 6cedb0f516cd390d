"""The hub's request to send a range of frames again."""

from dataclasses import dataclass

from edge.wire import codec
from edge.wire.codec import integer, octets

RESEND_REQUEST_TAG = b"peerwatt/ask/1"
MAX_RESEND_REQUEST_BYTES = 256


@dataclass(frozen=True, slots=True)
class ResendRequest:
    """Please resend these sequences of this boot; ``request_id`` makes the answer's message id a new one."""

    request_id: bytes
    boot_id: bytes
    first: int
    last: int


def encode_resend_request(request: ResendRequest) -> bytes:
    """The request as it travels."""
    return codec.pack([RESEND_REQUEST_TAG, request.request_id, request.boot_id, request.first, request.last])


def decode_resend_request(data: bytes) -> ResendRequest:
    """Reads a request strictly.

    Raises:
        WireError: one of its leaf classes names the reason.
    """
    fields = codec.unpack(data, limit=MAX_RESEND_REQUEST_BYTES)
    codec.expect_tag(fields, RESEND_REQUEST_TAG, 5)
    first = integer(fields[3], "first", 1)
    return ResendRequest(
        octets(fields[1], "ask_id", 16), octets(fields[2], "boot_id", 16), first, integer(fields[4], "last", first)
    )
