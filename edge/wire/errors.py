"""Why bytes are refused: one class for each reason, with a ``code`` for logs and for the hub's quarantine."""


class WireError(ValueError):
    """Bytes that are not what they claim to be; the same bytes are always refused."""

    code = "wire"


class MalformedError(WireError):
    """The bytes are not msgpack, or are cut off."""

    code = "malformed"


class TrailingBytesError(WireError):
    """There are bytes after the end."""

    code = "trailing_bytes"


class NonCanonicalError(WireError):
    """The value has a shorter or an ordered form, and only that one is allowed."""

    code = "non_canonical"


class WrongTypeError(WireError):
    """A field holds another type than an integer, a byte string or an array of those."""

    code = "wrong_type"


class WrongArityError(WireError):
    """An array has too few or too many fields."""

    code = "wrong_arity"


class OutOfRangeError(WireError):
    """A field's value or length is outside its range."""

    code = "out_of_range"


class UnknownVersionError(WireError):
    """The domain tag is not one that this version reads."""

    code = "unknown_version"


class UnknownKindError(WireError):
    """A record of a kind that this version does not know."""

    code = "unknown_kind"


class TooLongError(WireError):
    """A frame, record, receipt or heartbeat has more bytes than it may."""

    code = "too_long"


class RecordCountError(WireError):
    """The body does not hold as many records as the header says."""

    code = "record_count"


class MerkleRootError(WireError):
    """The records are not those that the header commits to."""

    code = "merkle_root"


class KeyIdError(WireError):
    """The header names another key than the one it is checked with."""

    code = "key_id"


class BadSignatureError(WireError):
    """The signature is not by this key over these bytes."""

    code = "bad_signature"


class NonCanonicalSignatureError(WireError):
    """The signature is not in Ed25519's one canonical form."""

    code = "non_canonical_signature"


class LowOrderSignatureError(WireError):
    """The signature's point is of low order, so that it could fit several messages."""

    code = "low_order_signature"


class NonCanonicalKeyError(WireError):
    """The public key is not in Ed25519's one canonical form."""

    code = "non_canonical_key"


class LowOrderKeyError(WireError):
    """The public key is no point of the main subgroup: nobody can hold its secret."""

    code = "low_order_key"


class ProofError(WireError):
    """A proof file's parts do not fit together."""

    code = "proof"
