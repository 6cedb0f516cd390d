"""Receipts as bytes and back: the hub signs which frames it has stored; only then may a gateway delete them."""

from dataclasses import dataclass, field

from nacl.signing import SigningKey

from edge.wire import codec, keys
from edge.wire.codec import gateway_name, integer, octets
from edge.wire.ranges import ByBoot, from_field, to_fields

RECEIPT_TAG = b"peerwatt/receipt/1"
MAX_RECEIPT_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Receipt:
    """Ranges of frame sequences by boot id: those that the hub has stored, and those that it has declared lost."""

    gateway_id: str
    issued_at_ms: int
    stored: ByBoot = field(default_factory=dict)
    lost: ByBoot = field(default_factory=dict)
    last_header_hash: bytes = bytes(32)
    """The header hash of the newest frame that the hub has stored from this gateway; zeros when there is none."""


def sign_receipt(receipt: Receipt, key: SigningKey) -> bytes:
    """Encodes and signs a receipt: payload and signature."""
    payload = codec.pack(
        [
            RECEIPT_TAG, receipt.gateway_id.encode(), receipt.issued_at_ms, to_fields(receipt.stored),
            to_fields(receipt.lost), receipt.last_header_hash,
        ]
    )  # fmt: skip
    return codec.pack([payload, keys.sign(key, payload)])


def open_receipt(data: bytes, public_key: bytes) -> Receipt:
    """Checks the signature of a receipt and decodes it.

    Raises:
        WireError: one of its leaf classes names the reason.
    """
    parts = codec.unpack(data, limit=MAX_RECEIPT_BYTES)
    codec.expect_arity(parts, 2)
    payload = octets(parts[0], "payload", most=MAX_RECEIPT_BYTES)
    keys.verify(public_key, payload, octets(parts[1], "signature", keys.SIGNATURE_BYTES))
    fields = codec.unpack(payload, limit=MAX_RECEIPT_BYTES)
    codec.expect_tag(fields, RECEIPT_TAG, 6)
    return Receipt(
        gateway_id=gateway_name(fields[1]),
        issued_at_ms=integer(fields[2], "issued_at_ms"),
        stored=from_field(fields[3], "stored"),
        lost=from_field(fields[4], "lost"),
        last_header_hash=octets(fields[5], "last_header_hash", 32),
    )
