"""Builds the instructions on granular certificates: issue, slice, transfer, cancel."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from hub.chain import pdas
from hub.chain.instructions.idl_builder import build, struct, variant

EnergySource = Literal["Solar", "Wind", "Hydro", "Biomass"]
_TECHNOLOGY_BYTES, _GRID_ZONE_BYTES = 8, 16


@dataclass(frozen=True)
class Device:
    """The production device as the issuing body describes it."""

    source: EnergySource
    technology: str
    """Code of the AIB's fact sheet 5, for example ``T010100`` for PV."""
    grid_zone: str
    """EIC code of the area in which the energy was fed in."""
    country: str
    """ISO 3166-1 alpha-2."""
    commissioned_at_s: int = 0
    """Unix seconds; 0 when unknown."""
    latitude_e6: int = 0
    """Millionths of a degree."""
    longitude_e6: int = 0
    supported: bool = False
    """Whether it receives public support for its operation."""

    def argument(self) -> Any:
        """Returns the struct argument of ``issue_certificate``."""
        fields = asdict(self) | {
            "source": variant("energy_token", "EnergySource", self.source),
            "technology": _padded(self.technology, _TECHNOLOGY_BYTES),
            "grid_zone": _padded(self.grid_zone, _GRID_ZONE_BYTES),
            "country": list(self.country.encode()),
        }
        return struct("energy_token", "Device", **fields)


@dataclass(frozen=True)
class AttestedEnergy:
    """A meter's attested energy in an interval, with its Merkle proof: the rung ``interval`` of a proof document."""

    import_wh: int
    export_wh: int
    blinding: bytes
    leaf_index: int
    path: Sequence[bytes]
    """The leaf's siblings from the bottom up, as ``edge.wire.merkle.path`` returns them."""

    def argument(self) -> Any:
        """Returns the struct argument of ``issue_certificate``."""
        fields = {
            "import_wh": self.import_wh,
            "export_wh": self.export_wh,
            "blinding": list(self.blinding),
            "leaf_index": self.leaf_index,
            "path": b"".join(self.path),
        }
        return struct("energy_token", "AttestedEnergy", **fields)


def issue(
    payer: Pubkey,
    issuing_body: Pubkey,
    *,
    meter_id: str,
    start_s: int,
    revision: int,
    energy: AttestedEnergy,
    device: Device,
) -> Instruction:
    """Issues the certificate of a meter's interval to the meter's owner, once; signed by payer and issuing body.

    ``revision`` is the interval's newest.
    """
    certificate = pdas.certificate(meter_id, start_s)
    accounts = {
        "payer": payer,
        "issuing_body": issuing_body,
        "authority": pdas.governance_authority(),
        "meter": pdas.meter(meter_id),
        "interval": pdas.interval(start_s, revision),
        "next_revision": pdas.interval(start_s, revision + 1),
        "certificate": certificate,
        "holding": pdas.certificate_holding(certificate, 0),
    }
    return build("energy_token", "issue_certificate", [energy.argument(), device.argument()], accounts)


def slice_holding(
    payer: Pubkey, holder: Pubkey, certificate: Pubkey, number: int, wh: int, next_number: int
) -> Instruction:
    """Slices ``wh`` off a holding into a new one; signed by payer and holder.

    Args:
        payer: pays the new holding's rent.
        holder: owns both holdings.
        certificate: the certificate's account.
        number: the number of the holding that becomes smaller.
        wh: the energy of the new holding.
        next_number: the new holding's number: how many holdings the certificate has had so far.
    """
    accounts = {
        "payer": payer,
        "holder": holder,
        "certificate": certificate,
        "holding": pdas.certificate_holding(certificate, number),
        "part": pdas.certificate_holding(certificate, next_number),
    }
    return build("energy_token", "slice_certificate", [wh], accounts)


def transfer(holder: Pubkey, holding: Pubkey, to: Pubkey, wh: int) -> Instruction:
    """Transfers a holding, which must still have ``wh``, to another wallet; signed by the holder."""
    return build("energy_token", "transfer_certificate", [to, wh], {"holder": holder, "holding": holding})


def cancel(
    payer: Pubkey, holder: Pubkey, certificate: Pubkey, number: int, *, beneficiary: str, purpose: str
) -> Instruction:
    """Cancels holding ``number`` for the beneficiary, publicly and for ever; signed by payer and holder."""
    holding = pdas.certificate_holding(certificate, number)
    accounts = {
        "payer": payer,
        "holder": holder,
        "certificate": certificate,
        "holding": holding,
        "cancellation": pdas.cancellation(holding),
    }
    return build("energy_token", "cancel_certificate", [beneficiary, purpose], accounts)


def _padded(text: str, size: int) -> list[int]:
    return list(text.encode().ljust(size, b"\0"))
