"""Finds the values inside an instruction's data by the IDL, and the limits that each can be set to."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from support.programs.attacks.shapes import Shape, defined

DISCRIMINATOR_BYTES = 8
NUMBERS = {"u8": "<B", "u16": "<H", "u32": "<I", "u64": "<Q", "i32": "<i", "i64": "<q", "bool": "<B", "variant": "<B"}
LONG_TEXT = "A" * 65
"""Longer than any text that a program takes."""


@dataclass(frozen=True)
class Argument:
    """A value in an instruction's data: where it stands, and of what kind it is."""

    path: str
    kind: str
    begin: int
    end: int

    def limits(self) -> dict[str, bytes]:
        """The values that an attack sets it to, by name."""
        if self.kind in {"bool", "variant"}:
            return {"max": b"\xff"}
        if self.kind == "pubkey":
            return {"zero": bytes(32)}
        if self.kind in {"string", "bytes"}:
            return {"empty": _sized(""), "long": _sized(LONG_TEXT)}
        if self.kind == "vec":
            return {"empty": bytes(4)}
        form = NUMBERS[self.kind]
        bits = 8 * struct.calcsize(form)
        if self.kind.startswith("u"):
            values = {"0": 0, "1": 1, "max": 2**bits - 1}
        else:
            values = {"min": -(2 ** (bits - 1)), "0": 0, "1": 1, "max": 2 ** (bits - 1) - 1}
        return {name: struct.pack(form, value) for name, value in values.items()}

    def value(self, data: bytes) -> Any:
        """The number or text that stands there, or the bytes."""
        raw = data[self.begin : self.end]
        if self.kind in NUMBERS:
            return struct.unpack(NUMBERS[self.kind], raw)[0]
        return raw[4:].decode() if self.kind == "string" else raw


def _sized(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode()


def arguments(shape: Shape, data: bytes) -> list[Argument]:
    """The values of an instruction's data, the first of those that repeat. Hashes are none."""
    walk = _Walk(shape.program, data)
    found = [argument for name, kind in shape.arguments for argument in walk.read(kind, name)]
    assert walk.at == len(data), f"{shape.title}: its data is not what the IDL says"
    return found


@dataclass
class _Walk:
    program: str
    data: bytes
    at: int = DISCRIMINATOR_BYTES

    def read(self, kind: Any, path: str) -> Iterator[Argument]:
        if isinstance(kind, str):
            yield self._leaf(kind, path, self._size(kind))
        elif "vec" in kind:
            yield from self._vector(kind["vec"], path)
        elif "array" in kind:
            inner, count = kind["array"]
            assert inner == "u8"
            self.at += count
        elif "option" in kind:
            given = self._leaf("variant", f"{path}?", 1)
            yield given
            yield from self.read(kind["option"], path) if self.data[given.begin] else ()
        else:
            yield from self._defined(kind["defined"]["name"], path)

    def _leaf(self, kind: str, path: str, size: int) -> Argument:
        begin, self.at = self.at, self.at + size
        return Argument(path, kind, begin, self.at)

    def _size(self, kind: str) -> int:
        if kind in {"string", "bytes"}:
            return 4 + self._count()
        return 32 if kind == "pubkey" else struct.calcsize(NUMBERS[kind])

    def _count(self) -> int:
        return int.from_bytes(self.data[self.at : self.at + 4], "little")

    def _vector(self, inner: Any, path: str) -> Iterator[Argument]:
        begin, count = self.at, self._count()
        self.at += 4
        parts = [list(self.read(inner, f"{path}[{place}]")) for place in range(count)]
        yield Argument(path, "vec", begin, self.at)
        yield from parts[0] if parts else ()

    def _defined(self, name: str, path: str) -> Iterator[Argument]:
        kind = defined(self.program, name)
        if kind["kind"] == "struct":
            for field in kind["fields"]:
                yield from self.read(field["type"], f"{path}.{field['name']}")
            return
        choice = self._leaf("variant", path, 1)
        yield choice
        variant = kind["variants"][self.data[choice.begin]]
        for field in variant.get("fields", []):
            yield from self.read(field, f"{path}.{variant['name']}")
