"""Builds the instructions on granular certificates: issue, take back, slice, transfer, cancel."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from edge.wire.ladder import QUALITIES
from hub.chain import pdas
from hub.chain.instructions.idl_builder import absent, build, struct, variant

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
        """Returns the struct argument of ``issue_certificate`` and ``take_back_export``."""
        fields = {
            "import_wh": self.import_wh,
            "export_wh": self.export_wh,
            "blinding": list(self.blinding),
            "leaf_index": self.leaf_index,
            "path": b"".join(self.path),
        }
        return struct("energy_token", "AttestedEnergy", **fields)


@dataclass(frozen=True)
class Evidence:
    """What a revision of an interval attests of a meter."""

    meter_id: str
    start_s: int
    """The interval's start in Unix seconds."""
    revision: int
    """The one that certificates follow now (``Certificate::require_in_force``)."""
    energy: AttestedEnergy

    def accounts(self) -> dict[str, Pubkey]:
        """Returns the accounts that show it."""
        return {
            "meter": pdas.meter(self.meter_id),
            "interval": pdas.interval(self.start_s, self.revision),
            "next_revision": pdas.interval(self.start_s, self.revision + 1),
        }


def open_producer(payer: Pubkey, wallet: Pubkey) -> Instruction:
    """Opens the account that certificates for a participant need; signed by payer, who may be anybody."""
    accounts = {"payer": payer, "participant": pdas.participant(wallet), "producer": pdas.producer(wallet)}
    return build("energy_token", "open_producer", [], accounts)


def issue(
    payer: Pubkey,
    issuing_body: Pubkey,
    evidence: Evidence,
    device: Device,
    *,
    producer: Pubkey,
    number: int = 0,
    all_withheld: bool = False,
) -> Instruction:
    """Issues a certificate on what a meter exported in an interval and is not certified yet; signed by payer and body.

    Args:
        payer: pays the rent.
        issuing_body: the REC validator.
        evidence: the meter's export.
        device: what the issuing body states about the meter's device.
        producer: the wallet that certificate 0 went to; for number 0 the meter's owner.
        number: how many certificates the meter and the interval have so far.
        all_withheld: whether the producer owes no less than this certificate is worth; then it has no holding.
    """
    certificate = pdas.certificate(evidence.meter_id, evidence.start_s, number)
    accounts = evidence.accounts() | {
        "payer": payer,
        "issuing_body": issuing_body,
        "authority": pdas.governance_authority(),
        "producer": pdas.producer(producer),
        "first": pdas.certificate(evidence.meter_id, evidence.start_s) if number else absent("energy_token"),
        "certificate": certificate,
        "holding": absent("energy_token") if all_withheld else pdas.certificate_holding(certificate, 0),
    }
    return build("energy_token", "issue_certificate", [evidence.energy.argument(), device.argument()], accounts)


def take_back(evidence: Evidence, *, producer: Pubkey, quality: str = "valid") -> Instruction:
    """Takes back what certificates of a meter's interval have beyond a later revision: a debt of the producer.

    Nobody signs. ``producer`` is the wallet that certificate 0 went to, ``quality`` that of the meter's leaf.
    """
    accounts = evidence.accounts() | {
        "first": pdas.certificate(evidence.meter_id, evidence.start_s),
        "producer": pdas.producer(producer),
    }
    arguments = [evidence.energy.argument(), QUALITIES.index(quality)]
    return build("energy_token", "take_back_export", arguments, accounts)


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
