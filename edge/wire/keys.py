"""Ed25519 (RFC 8032), strictly: keys and signatures in their one canonical form, and nothing of low order.

The checks follow "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko 2020); libsodium does the arithmetic.
"""

from functools import lru_cache
from hashlib import sha256

from nacl.bindings import crypto_core_ed25519_is_valid_point
from nacl.exceptions import BadSignatureError as NaclBadSignatureError
from nacl.signing import SigningKey, VerifyKey

from edge.wire.errors import (
    BadSignatureError,
    LowOrderKeyError,
    LowOrderSignatureError,
    NonCanonicalKeyError,
    NonCanonicalSignatureError,
    OutOfRangeError,
)

KEY_ID_BYTES, PUBLIC_KEY_BYTES, SIGNATURE_BYTES = 8, 32, 64
_FIELD = 2**255 - 19
_GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
_Y_MASK = (1 << 255) - 1
_ORDER_8_Y = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
# The y coordinates of the eight points whose order divides 8: the sign of x does not matter
_LOW_ORDER_Y = frozenset({0, 1, _FIELD - 1, _ORDER_8_Y, _FIELD - _ORDER_8_Y})


def key_id(public_key: bytes) -> bytes:
    """Returns the 8 bytes by which a frame names the key that signed it: the first of its SHA-256."""
    return sha256(public_key).digest()[:KEY_ID_BYTES]


@lru_cache(maxsize=4096)
def check_public_key(public_key: bytes) -> VerifyKey:
    """Returns a public key of which somebody can hold the secret.

    Raises:
        OutOfRangeError: it has not 32 bytes.
        NonCanonicalKeyError: it is not in its canonical form.
        LowOrderKeyError: it is no point of the main subgroup.
    """
    if len(public_key) != PUBLIC_KEY_BYTES:
        raise OutOfRangeError(f"a public key has {PUBLIC_KEY_BYTES} bytes, not {len(public_key)}")
    if int.from_bytes(public_key, "little") & _Y_MASK >= _FIELD:
        raise NonCanonicalKeyError("the public key is not in its canonical form")
    if not crypto_core_ed25519_is_valid_point(public_key):
        raise LowOrderKeyError("the public key is no point of the main subgroup")
    return VerifyKey(public_key)


def verify(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Checks a signature strictly.

    Raises:
        WireError: BadSignatureError, or the leaf class that names what is wrong with the key or the signature's form.
    """
    key = check_public_key(public_key)
    if len(signature) != SIGNATURE_BYTES:
        raise OutOfRangeError(f"a signature has {SIGNATURE_BYTES} bytes, not {len(signature)}")
    point_y = int.from_bytes(signature[:32], "little") & _Y_MASK
    if point_y >= _FIELD or int.from_bytes(signature[32:], "little") >= _GROUP_ORDER:
        raise NonCanonicalSignatureError("the signature is not in its canonical form")
    if point_y in _LOW_ORDER_Y:
        raise LowOrderSignatureError("the signature's point is of low order")
    try:
        key.verify(message, signature)
    except NaclBadSignatureError as error:
        raise BadSignatureError("the signature is not by this key over these bytes") from error


def sign(key: SigningKey, message: bytes) -> bytes:
    """Signs a message; returns the 64 bytes of the signature."""
    return bytes(key.sign(message).signature)
