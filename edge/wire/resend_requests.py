"""Resend requests as bytes and back: the hub asks a gateway for a range of its frames again."""

from dataclasses import dataclass

from edge.wire import codec
from edge.wire.codec import integer, octets

RESEND_REQUEST_TAG = b"peerwatt/ask/1"
MAX_RESEND_REQUEST_BYTES = 256


@dataclass(frozen=True, slots=True)
class ResendRequest:
    """Asks for the frames ``first`` to ``last`` (sequences, both included) of one boot.

    ``request_id`` makes the message ids of the answer new ones (``subjects.message_id``).
    """

    request_id: bytes
    boot_id: bytes
    first: int
    last: int


def encode_resend_request(request: ResendRequest) -> bytes:
    """Encodes a request; its fields are not checked."""
    return codec.pack([RESEND_REQUEST_TAG, request.request_id, request.boot_id, request.first, request.last])


def decode_resend_request(data: bytes) -> ResendRequest:
    """Decodes a request strictly.

    Raises:
        WireError: one of its leaf classes names the reason.
    """
    fields = codec.unpack(data, limit=MAX_RESEND_REQUEST_BYTES)
    codec.expect_tag(fields, RESEND_REQUEST_TAG, 5)
    first = integer(fields[3], "first", 1)
    return ResendRequest(
        octets(fields[1], "ask_id", 16), octets(fields[2], "boot_id", 16), first, integer(fields[4], "last", first)
    )
