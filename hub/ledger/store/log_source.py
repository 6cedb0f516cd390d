"""Reads a log from a ledger's folder, running or not, or from a file that `peerwatt-hub ledger export` wrote.

An export is JSON lines: the genesis with the countersignatures, one line per block, and the last block once more at
the end. A file named *.gz is compressed.
"""

import base64
import binascii
import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TextIO

from solders.hash import Hash
from solders.signature import Signature

from hub.ledger.blocks import Header
from hub.ledger.countersignature import Countersignature
from hub.ledger.errors import LedgerDamagedError, LedgerError
from hub.ledger.store.queries import StoredBlock, StoredTransaction
from hub.ledger.store.repository import Repository

FORMAT = "peerwatt-ledger-export/1"
FILE_NAME = "ledger.sqlite"
MAX_LINE_CHARS = 64 * 2**20
"""More than a full block of the largest transactions with long logs needs."""


class LogSource(Protocol):
    """A log that can be read once, from the genesis on."""

    genesis: str
    countersignatures: list[Countersignature]

    def blocks(self) -> Iterator[StoredBlock]:
        """Yields the blocks in order, unchecked.

        Raises:
            LedgerDamagedError: a block can not be read.
        """
        ...


class FolderLog:
    """The log in a ledger's SQLite file, as it is at one moment."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.genesis = repository.meta("genesis") or ""
        self.countersignatures = list(repository.countersignatures())

    def blocks(self) -> Iterator[StoredBlock]:
        """Yields the blocks in order, unchecked.

        Raises:
            LedgerDamagedError: a block can not be read.
        """
        return self.repository.blocks()


class ExportLog:
    """The log in an exported file."""

    def __init__(self, file: TextIO, name: str) -> None:
        self._file = file
        self._name = name
        self._line = 0
        first = self._next()
        if first is None or first.get("format") != FORMAT:
            raise LedgerError(
                f"{name} is no ledger export of this version: write one with `peerwatt-hub ledger export`"
            )
        self.genesis = str(first.get("genesis"))
        try:
            self.countersignatures = [
                Countersignature.from_json(json.dumps(each)) for each in first["countersignatures"]
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise LedgerDamagedError(f"The countersignatures in {name} can not be read: {error}") from error

    def blocks(self) -> Iterator[StoredBlock]:
        """Yields the blocks in order, unchecked.

        Raises:
            LedgerDamagedError: a block can not be read, or the file was cut off.
        """
        last: Header | None = None
        count = 0
        while (line := self._next()) is not None:
            if "end" in line:
                if last is None or line["end"] != _end(last, count):
                    raise LedgerDamagedError(f"{self._name} does not end with the block that its last line names")
                return
            block = self._block(line)
            last, count = block.header, count + 1
            yield block
        position = f"after block {last.slot}" if last else "before the first block"
        raise LedgerDamagedError(f"{self._name} was cut off {position}: its last line is missing")

    def _next(self) -> dict[str, Any] | None:
        self._line += 1
        try:
            text = self._file.readline(MAX_LINE_CHARS)
            value = json.loads(text) if text else None
        except (ValueError, EOFError, OSError, RecursionError) as error:
            raise LedgerDamagedError(f"Line {self._line} of {self._name} can not be read: {error}") from error
        if value is not None and not isinstance(value, dict):
            raise LedgerDamagedError(f"Line {self._line} of {self._name} is no block")
        return value

    def _block(self, line: dict[str, Any]) -> StoredBlock:
        try:
            header = Header.decode(_bytes(line["header"]))
            transactions = tuple(_transaction(stored, header.slot) for stored in line["transactions"])
            signature = bytes(Signature.from_bytes(_bytes(line["signature"])))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            where = f"block {line.get('slot')}, line {self._line} of {self._name}"
            raise LedgerDamagedError(f"A block was changed: {where}: {error}") from error
        return StoredBlock(header, signature, transactions)


@contextmanager
def open_log(path: Path) -> Iterator[FolderLog | ExportLog]:
    """Opens a folder or an exported file.

    Raises:
        LedgerError: the path is neither.
    """
    if path.is_dir():
        file = path / FILE_NAME
        if not file.is_file():
            raise LedgerError(f"There is no {FILE_NAME} in {path}: name the ledger's state folder, or an exported file")
        repository = Repository.read_only(file)
        try:
            yield FolderLog(repository)
        finally:
            repository.close()
        return
    if not path.is_file():
        raise LedgerError(f"There is no {path}: name the ledger's state folder, or an exported file")
    with _open_text(path, "rt") as export:
        yield ExportLog(export, path.name)


def write_export(source: LogSource, path: Path) -> tuple[Header, int]:
    """Writes the log to a file; returns its head and the number of blocks. An interrupted export lacks its last line.

    Raises:
        LedgerDamagedError: a block can not be read, or the log has none.
    """
    last: Header | None = None
    count = 0
    with _open_text(path, "wt") as file:
        countersignatures = [json.loads(each.to_json()) for each in source.countersignatures]
        _write(file, {"format": FORMAT, "genesis": source.genesis, "countersignatures": countersignatures})
        for block in source.blocks():
            header = block.header
            _write(
                file,
                {
                    "slot": header.slot,
                    "header": _base64(header.encode()),
                    "signature": _base64(block.signature),
                    "transactions": [_transaction_json(stored) for stored in block.transactions],
                },
            )
            last, count = header, count + 1
        if last is None:
            raise LedgerDamagedError("The log has no block")
        _write(file, {"end": _end(last, count)})
    return last, count


def _end(head: Header, count: int) -> dict[str, Any]:
    return {"slot": head.slot, "hash": str(Hash(head.hash)), "blocks": count}


def _open_text(path: Path, mode: str) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, mode, encoding="utf-8")  # type: ignore[return-value] # text by its mode
    return path.open(mode, encoding="utf-8")  # type: ignore[return-value]


def _write(file: TextIO, value: dict[str, Any]) -> None:
    file.write(json.dumps(value, separators=(",", ":")) + "\n")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error


def _transaction_json(stored: StoredTransaction) -> dict[str, str]:
    return {"raw": _base64(stored.raw), "result": stored.result}


def _transaction(value: dict[str, Any], slot: int) -> StoredTransaction:
    raw, result = _bytes(value["raw"]), value["result"]
    if not isinstance(result, str) or len(raw) < 1 + Signature.LENGTH:
        raise ValueError("a transaction can not be read")
    return StoredTransaction(raw[1 : 1 + Signature.LENGTH], raw, result, slot=slot)
