"""Checks the upper rungs of a proof: a meter's energy under the interval's root, a line under the settlement's root.

The hub makes them from what the chain holds. Whether a root is the chain's, only the account that the rung names shows.
"""

from dataclasses import dataclass
from hashlib import sha256
from struct import pack

from edge.wire import merkle
from edge.wire.errors import MerkleRootError, ProofError
from edge.wire.fields import Fields
from edge.wire.kinds import Reading

QUALITIES = ("valid", "estimated", "suspect", "missing")
BLINDING_BYTES = 16
METER_ID_BYTES = 32
_INTERVAL_DOMAIN, _LINE_DOMAIN = b"peerwatt/interval/1", b"peerwatt/line/1"


@dataclass(frozen=True)
class Root:
    """The root (32 bytes) that a rung leads to, and the chain's account in which the same root must stand."""

    rung: str
    root: bytes
    account: str | None


def interval_leaf(
    start_s: int, end_s: int, meter_id: str, import_wh: int, export_wh: int, quality: str, blinding: bytes
) -> bytes:
    """Returns the leaf of one meter's energy in an interval: 32 bytes.

    The 16 random bytes of ``blinding`` keep those who see the leaf from guessing the energy.

    Raises:
        ValueError: ``quality`` is none of ``QUALITIES``.
    """
    words = pack("<qq32sQQB", start_s, end_s, meter_id.encode(), import_wh, export_wh, QUALITIES.index(quality))
    return sha256(_INTERVAL_DOMAIN + words + blinding).digest()


def line_leaf(
    start_s: int, index: int, wallet: bytes, sold_wh: int, bought_wh: int, credit_micros: int, debit_micros: int
) -> bytes:
    """Returns the leaf of a settlement line at its index: 32 bytes. The trading program computes the same."""
    words = pack("<qI32sQQQQ", start_s, index, wallet, sold_wh, bought_wh, credit_micros, debit_micros)
    return sha256(_LINE_DOMAIN + words).digest()


def check_ladder(proof: Fields, reading: Reading) -> list[Root]:
    """Checks the rungs above the frame, as far as the proof has them; returns the roots that they lead to.

    Raises:
        WireError: the first thing that does not hold.
    """
    interval, line, chain = proof.part("interval"), proof.part("line"), proof.part("chain")
    shown_reading = proof.part("reading")
    if shown_reading is not None:
        _check_shown_reading(shown_reading, reading)
    if interval is None:
        return []
    interval_root = _check_interval(interval, shown_reading, reading)
    roots = [Root("interval", interval_root, _account(chain, "interval_account"))]
    if line is not None:
        if line.seconds("start_at") != interval.seconds("start_at"):
            raise ProofError("line.start_at is of another interval")
        roots.append(Root("line", _check_line(line), _account(chain, "settlement_account")))
    return roots


def _check_shown_reading(shown: Fields, reading: Reading) -> None:
    """Checks that the reading as people see it is the signed record."""
    signed = {"import_wh": reading.import_wh, "export_wh": reading.export_wh}
    for name, value in signed.items():
        if shown.number(name) != value:
            raise ProofError(f"reading.{name} is {shown.number(name)}, the signed record says {value}")
    if shown.seconds("slot_at") != reading.slot_s:
        raise ProofError("reading.slot_at is not the signed record's")


def _check_interval(interval: Fields, shown: Fields | None, reading: Reading) -> bytes:
    start_s, end_s = interval.seconds("start_at"), interval.seconds("end_at")
    if not start_s <= reading.slot_s <= end_s:
        raise ProofError("the reading was not taken in interval.start_at to interval.end_at")
    meter_id, quality, blinding = interval.text("meter_id"), interval.text("quality"), interval.octets("blinding")
    if shown is not None and shown.text("meter_id") != meter_id:
        raise ProofError("interval.meter_id is another meter than the reading's")
    if len(meter_id.encode()) > METER_ID_BYTES or quality not in QUALITIES or len(blinding) != BLINDING_BYTES:
        raise ProofError("interval.meter_id, quality or blinding is none")
    energy = interval.number("import_wh"), interval.number("export_wh")
    leaf = interval_leaf(start_s, end_s, meter_id, *energy, quality, blinding)
    return _climb(interval, "interval", leaf, interval.octets("merkle_root"))


def _check_line(line: Fields) -> bytes:
    amounts = [line.number(name) for name in ("sold_wh", "bought_wh", "credit_micros", "debit_micros")]
    index = line.number("index")
    if index >= line.number("count"):
        raise ProofError("line.index is beyond line.count")
    leaf = line_leaf(line.seconds("start_at"), index % 2**32, line.wallet("wallet"), *amounts)
    return _climb(line, "line", leaf, line.octets("root"))


def _climb(rung: Fields, name: str, leaf: bytes, root: bytes) -> bytes:
    if "leaf" in rung and rung.octets("leaf") != leaf:
        raise ProofError(f"{name}.leaf is not the hash of what the {name} says")
    if not merkle.verify(leaf, rung.number("index"), rung.number("count"), rung.path(), root):
        raise MerkleRootError(f"what the {name} says and its path do not lead to its root")
    return root


def _account(chain: Fields | None, name: str) -> str | None:
    return chain.text(name) if chain is not None and name in chain else None
