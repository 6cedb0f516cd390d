"""Frames: records sealed under one signature, chained to the frame before; made by the agent, verified by the hub."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from nacl.signing import SigningKey

from edge.wire import codec, keys, merkle
from edge.wire.codec import byte_strings, gateway_name, integer, octets
from edge.wire.errors import KeyIdError, MerkleRootError, OutOfRangeError, RecordCountError
from edge.wire.records import VERSION, check_length

FRAME_TAGS = {1: b"peerwatt/frame/1", 2: b"peerwatt/frame/2"}
"""The domain tag in front of a header, by the version of its frame."""
_VERSIONS = {tag: version for version, tag in FRAME_TAGS.items()}
LEAF_PREFIX, HEADER_PREFIX = b"peerwatt/leaf/1", b"peerwatt/header/1"
MAX_RECORDS = 256
MAX_HEADER_BYTES = 256
MAX_FRAME_BYTES = 128 * 1024
NO_PREVIOUS = bytes(32)
"""The previous hash of a gateway's first frame, and of one whose predecessor is not known."""


@dataclass(frozen=True, slots=True)
class Header:
    """The signed part of a frame; the sequences of a boot begin at 1."""

    gateway_id: str
    key_id: bytes
    boot_id: bytes
    sequence: int
    previous_hash: bytes
    record_count: int
    merkle_root: bytes
    sealed_at_ms: int
    version: int = VERSION
    """Says what kinds of record the frame may have."""

    def encode(self) -> bytes:
        """Encodes the bytes that are signed; the fields are not checked."""
        return codec.pack(
            [
                FRAME_TAGS[self.version], self.gateway_id.encode(), self.key_id, self.boot_id, self.sequence,
                self.previous_hash, self.record_count, self.merkle_root, self.sealed_at_ms,
            ]
        )  # fmt: skip


@dataclass(frozen=True)
class Frame:
    """A frame in the bytes in which it was sealed; header and records are decoded when they are asked for.

    The properties raise WireError where the bytes can not be decoded; for frames of ``seal`` and ``decode_frame`` they
    can.
    """

    header_bytes: bytes
    signature: bytes
    body: bytes

    @cached_property
    def header(self) -> Header:
        """The decoded header."""
        return decode_header(self.header_bytes)

    @cached_property
    def header_hash(self) -> bytes:
        """The 32 bytes that name the frame; in hex its message id."""
        return hash_header(self.header_bytes)

    @cached_property
    def records(self) -> tuple[bytes, ...]:
        """The bytes of each record."""
        return tuple(byte_strings(self.body))

    @cached_property
    def leaves(self) -> tuple[bytes, ...]:
        """The hash of each record; for a reading, its ``reading_id``."""
        return tuple(leaf_hash(self.header.gateway_id, record) for record in self.records)

    def encode(self) -> bytes:
        """Encodes the frame as it is sent."""
        return codec.pack([self.header_bytes, self.signature, self.body])


def leaf_hash(gateway_id: str, record: bytes) -> bytes:
    """Returns the hash of one record of one gateway: 32 bytes, for a reading its ``reading_id``."""
    name = gateway_id.encode()
    return sha256(LEAF_PREFIX + bytes([len(name)]) + name + record).digest()


def hash_header(header: bytes) -> bytes:
    """Returns the hash of a header (32 bytes), which the next frame names as its previous one."""
    return sha256(HEADER_PREFIX + header).digest()


def seal(
    *,
    gateway_id: str,
    boot_id: bytes,
    sequence: int,
    previous_hash: bytes,
    sealed_at_ms: int,
    records: Sequence[bytes],
    signing_key: SigningKey,
    version: int = VERSION,
) -> Frame:
    """Signs encoded records into the next frame of a chain; the records are not decoded.

    Raises:
        WireError: there are no records, too many or too long ones, or a header field is out of its range.
    """
    if not 1 <= len(records) <= MAX_RECORDS:
        raise OutOfRangeError(f"a frame holds 1 to {MAX_RECORDS} records, not {len(records)}")
    header = Header(
        gateway_id,
        keys.key_id(bytes(signing_key.verify_key)),
        boot_id,
        sequence,
        previous_hash,
        len(records),
        merkle.root([leaf_hash(gateway_id, record) for record in records]),
        sealed_at_ms,
        version,
    ).encode()
    decode_header(header)
    return Frame(header, keys.sign(signing_key, header), encode_body(records))


def encode_body(records: Sequence[bytes]) -> bytes:
    """Encodes records as the body of a frame: byte strings one after the other.

    Raises:
        TooLongError: a record has more than ``MAX_RECORD_BYTES``.
    """
    return b"".join(
        (b"\xc4" + bytes([len(r)]) if len(r) < 256 else b"\xc5" + len(r).to_bytes(2, "big")) + r
        for r in map(check_length, records)
    )


def decode_header(data: bytes) -> Header:
    """Decodes a header strictly.

    Raises:
        WireError: one of its leaf classes names the reason.
    """
    fields = codec.unpack(data, limit=MAX_HEADER_BYTES)
    version = codec.version_of(fields, _VERSIONS)
    codec.expect_arity(fields, 9)
    return Header(
        gateway_id=gateway_name(fields[1]),
        key_id=octets(fields[2], "key_id", keys.KEY_ID_BYTES),
        boot_id=octets(fields[3], "boot_id", 16),
        sequence=integer(fields[4], "sequence", 1),
        previous_hash=octets(fields[5], "previous_hash", 32),
        record_count=integer(fields[6], "record_count", 1, MAX_RECORDS),
        merkle_root=octets(fields[7], "merkle_root", 32),
        sealed_at_ms=integer(fields[8], "sealed_at_ms"),
        version=version,
    )


def decode_frame(data: bytes) -> Frame:
    """Decodes a frame strictly and checks that the header commits to exactly these records; not who signed it.

    The records are split, not decoded: ``decode_record`` does that.

    Raises:
        WireError: one of its leaf classes names the reason.
    """
    fields = codec.unpack(data, limit=MAX_FRAME_BYTES)
    codec.expect_arity(fields, 3)
    frame = Frame(
        octets(fields[0], "header", most=MAX_HEADER_BYTES),
        octets(fields[1], "signature", keys.SIGNATURE_BYTES),
        octets(fields[2], "body", most=MAX_FRAME_BYTES),
    )
    check_body(frame)
    return frame


def check_body(frame: Frame) -> None:
    """Checks that the header commits to exactly the records of the body.

    Raises:
        RecordCountError: there are more or fewer records than the header says.
        MerkleRootError: they are others.
        WireError: header or body can not be decoded, or a record is too long.
    """
    if len(frame.records) != frame.header.record_count:
        raise RecordCountError(f"{len(frame.records)} records, the header says {frame.header.record_count}")
    for record in frame.records:
        check_length(record)
    if merkle.root(frame.leaves) != frame.header.merkle_root:
        raise MerkleRootError("the records are not those that the header commits to")


def verify_signature(frame: Frame, public_key: bytes) -> None:
    """Checks that this key signed the header.

    Raises:
        KeyIdError: the header names another key.
        WireError: the header can not be decoded, or one of its leaf classes names what is wrong with key or signature.
    """
    if frame.header.key_id != keys.key_id(public_key):
        raise KeyIdError(f"the header names key {frame.header.key_id.hex()}, not {keys.key_id(public_key).hex()}")
    keys.verify(public_key, frame.header_bytes, frame.signature)
