"""Reads the fields of a proof file by name; what is missing or of another kind is refused with a message."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import base58

from edge.wire.errors import ProofError

U64 = 2**64


class Fields:
    """A JSON object of a proof file; ``where`` names it in messages, and is empty for the file itself.

    Raises:
        ProofError: the value is no object.
    """

    def __init__(self, values: Any, where: str = "") -> None:
        if not isinstance(values, Mapping):
            raise ProofError(f"{where or 'the proof'} must be an object")
        self._values = values
        self._where = f"{where}." if where else ""

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def part(self, name: str) -> "Fields | None":
        """Returns the object of that name; None when it is not there.

        Raises:
            ProofError: it is no object.
        """
        return Fields(self._values[name], f"{self._where}{name}") if name in self else None

    def octets(self, name: str) -> bytes:
        """Returns bytes that are written in hex.

        Raises:
            ProofError: they are not there, or not in hex.
        """
        try:
            return bytes.fromhex(self._values[name])
        except (KeyError, TypeError, ValueError) as error:
            raise self._refused(name, "in hex") from error

    def number(self, name: str) -> int:
        """Returns an integer from 0 to 2^64 - 1.

        Raises:
            ProofError: it is not there, or none.
        """
        value = self._values.get(name)
        if type(value) is not int or not 0 <= value < U64:
            raise self._refused(name, "as an integer from 0 to 2^64 - 1")
        return value

    def text(self, name: str) -> str:
        """Returns text.

        Raises:
            ProofError: it is not there, or none.
        """
        value = self._values.get(name)
        if not isinstance(value, str):
            raise self._refused(name, "as text")
        return value

    def seconds(self, name: str) -> int:
        """Returns a time of RFC 3339 in seconds since 1970.

        Raises:
            ProofError: it is not there, no time, or without a zone.
        """
        try:
            at = datetime.fromisoformat(self.text(name))
        except ValueError as error:
            raise self._refused(name, "as a time") from error
        if at.tzinfo is None:
            raise self._refused(name, "as a time with its zone")
        return int(at.astimezone(UTC).timestamp())

    def wallet(self, name: str) -> bytes:
        """Returns the 32 bytes of a Solana address in base58.

        Raises:
            ProofError: it is not there, or none.
        """
        try:
            address = base58.b58decode(self.text(name))
        except ValueError as error:
            raise self._refused(name, "in base58") from error
        if len(address) != 32:
            raise self._refused(name, "as an address of 32 bytes")
        return address

    def path(self, name: str = "path") -> list[bytes]:
        """Returns a Merkle path: hashes of 32 bytes, bottom up.

        Raises:
            ProofError: it is not there, or none.
        """
        path = self._values.get(name)
        try:
            hashes = [bytes.fromhex(text) for text in path] if isinstance(path, list) else None
        except (TypeError, ValueError):
            hashes = None
        if hashes is None or any(len(one_hash) != 32 for one_hash in hashes):
            raise self._refused(name, "as a list of hashes in hex")
        return hashes

    def _refused(self, name: str, form: str) -> ProofError:
        return ProofError(f"{self._where}{name} must be there, {form}")
