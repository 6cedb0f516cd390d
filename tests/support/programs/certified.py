"""Meters whose energy is attested with real leaves, and their certificates."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from edge.wire import merkle
from edge.wire.ladder import interval_leaf
from hub.chain import pdas
from hub.chain.instructions import certificates
from hub.chain.instructions.certificates import AttestedEnergy, Device, Evidence
from support.programs.campus_chain import INTERVAL_S, Campus
from support.programs.market_chain import Exchange

HOUR_S = 3600
SETTLED_S = 73 * HOUR_S + 1
"""Seconds after an interval's end from which on certificates follow the revision in force."""
OBJECTION_S = 72 * HOUR_S
"""Seconds that a revision has to stand before certificates follow it."""
PV = Device(
    source="Solar",
    technology="T010100",
    grid_zone="10YTH-EGAT-----1",
    country="TH",
    commissioned_at_s=1_600_000_000,
    latitude_e6=13_736_700,
    longitude_e6=100_523_100,
)


@dataclass(frozen=True)
class MeterEnergy:
    """Energy of one meter in an attested revision, in Wh."""

    import_wh: int = 0
    export_wh: int = 0
    quality: str = "valid"
    feeder: bool = False
    """It stands in the tree, and in no total."""

    @property
    def certifiable_wh(self) -> int:
        """The export that certificates may be issued on."""
        return self.export_wh if self.quality == "valid" and not self.feeder else 0


@dataclass
class Certified:
    """An exchange whose campus has meters, and what was attested of them."""

    exchange: Exchange
    owners: dict[str, Keypair] = field(default_factory=dict)
    attested: dict[tuple[int, int], dict[str, MeterEnergy]] = field(default_factory=dict)
    """By start and revision, then by meter."""

    @property
    def campus(self) -> Campus:
        """The campus with the meters."""
        return self.exchange.campus

    @property
    def body(self) -> Keypair:
        """The issuing body."""
        return self.campus.validator

    def meter(self, meter_id: str, owner: str, **changes: Any) -> None:
        """Registers a meter of the person `owner`."""
        chain, registrar, key = self.campus.chain, self.campus.registrar, self.campus.chain.key(owner)
        if not chain.exists(pdas.participant(key.pubkey())):
            self.campus.add_participant(key)
        if not chain.exists(pdas.gateway("gw-north")):
            self.campus.add_gateway("gw-north")
        if not chain.exists(pdas.producer(key.pubkey())):
            chain.ok(certificates.open_producer(chain.payer.pubkey(), key.pubkey()))
        chain.ok(self.campus.register_meter(meter_id, key.pubkey(), "gw-north", **changes), signers=[registrar])
        self.owners[meter_id] = key

    def attest(self, start_s: int, meters: Mapping[str, MeterEnergy], revision: int = 1) -> None:
        """Attests the interval, or its next revision, with a leaf for each meter."""
        self.attested[start_s, revision] = dict(sorted(meters.items()))
        valid = [energy for energy in meters.values() if energy.quality == "valid"]
        self.campus.attested(
            start_s,
            revision=revision,
            previous=revision - 1 or None,
            merkle_root=list(merkle.root(self.leaves(start_s, revision))),
            meters_valid=len(valid),
            meters_estimated=len(meters) - len(valid),
            import_wh=sum(energy.import_wh for energy in valid if not energy.feeder),
            export_wh=sum(energy.export_wh for energy in valid if not energy.feeder),
        )

    def leaves(self, start_s: int, revision: int = 1) -> list[bytes]:
        """The leaves of an attested revision, by meter id."""
        return [
            interval_leaf(
                start_s,
                start_s + INTERVAL_S,
                meter_id,
                energy.import_wh,
                energy.export_wh,
                energy.quality,
                blinding(meter_id, start_s, revision),
            )
            for meter_id, energy in self.attested[start_s, revision].items()
        ]

    def energy(self, meter_id: str, start_s: int, revision: int = 1, **changes: Any) -> AttestedEnergy:
        """Returns what was attested of a meter, with its Merkle path."""
        meters = self.attested[start_s, revision]
        index = list(meters).index(meter_id)
        proof = AttestedEnergy(
            meters[meter_id].import_wh,
            meters[meter_id].export_wh,
            blinding(meter_id, start_s, revision),
            index,
            merkle.path(self.leaves(start_s, revision), index),
        )
        return replace(proof, **changes)

    def evidence(self, meter_id: str, start_s: int, revision: int, **changes: Any) -> Evidence:
        """What a revision attests of a meter, with changes to what is proven."""
        return Evidence(meter_id, start_s, revision, self.energy(meter_id, start_s, revision, **changes))

    def issue(
        self,
        meter_id: str,
        start_s: int,
        revision: int = 1,
        *,
        body: Keypair | None = None,
        device: Device = PV,
        number: int = 0,
        all_withheld: bool = False,
        producer: Pubkey | None = None,
        **changes: Any,
    ) -> Instruction:
        """The issue of a meter's certificate, with changes to what is proven."""
        return certificates.issue(
            self.campus.chain.payer.pubkey(),
            (body or self.body).pubkey(),
            self.evidence(meter_id, start_s, revision, **changes),
            device,
            producer=producer or self.producer(meter_id, start_s),
            number=number,
            all_withheld=all_withheld,
        )

    def take_back(
        self, meter_id: str, start_s: int, revision: int, *, producer: Pubkey | None = None, **changes: Any
    ) -> Instruction:
        """The `take_back_export` by a revision, with changes to what is proven and to its quality."""
        quality = changes.pop("quality", self.attested[start_s, revision][meter_id].quality)
        return certificates.take_back(
            self.evidence(meter_id, start_s, revision, **changes),
            producer=producer or self.producer(meter_id, start_s),
            quality=quality,
        )

    def producer(self, meter_id: str, start_s: int) -> Pubkey:
        """The wallet that certificates of a meter's interval go to."""
        chain = self.campus.chain
        if chain.exists(pdas.certificate(meter_id, start_s)):
            found: Pubkey = self.certificate(meter_id, start_s).producer
        else:
            found = chain.account("registry", pdas.meter(meter_id)).owner
        return found

    def debt_wh(self, wallet: Pubkey) -> int:
        """What a producer owes of the certificates that were issued to them."""
        owed: int = self.campus.chain.account("energy_token", pdas.producer(wallet)).debt_wh
        return owed

    def issued(self, meter_id: str, start_s: int) -> Pubkey:
        """Lets the time for corrections pass and issues a meter's certificate; returns its address."""
        self.campus.chain.set_time(max(self.campus.chain.now, start_s + INTERVAL_S + SETTLED_S))
        self.campus.chain.ok(self.issue(meter_id, start_s), signers=[self.body])
        return pdas.certificate(meter_id, start_s)

    def certificate(self, meter_id: str, start_s: int, number: int = 0) -> Any:
        """A meter's certificate, decoded."""
        return self.campus.chain.account("energy_token", pdas.certificate(meter_id, start_s, number))

    def holding(self, certificate: Pubkey, number: int) -> Any:
        """A holding, decoded."""
        return self.campus.chain.account("energy_token", pdas.certificate_holding(certificate, number))

    def cut(self, holder: Keypair, certificate: Pubkey, number: int, wh: int) -> Instruction:
        """The `slice_certificate` of a holding; the part gets the certificate's next number."""
        following = self.campus.chain.account("energy_token", certificate).holding_count
        payer = self.campus.chain.payer.pubkey()
        return certificates.slice_holding(payer, holder.pubkey(), certificate, number, wh, following)

    def transfer(self, holder: Keypair, certificate: Pubkey, number: int, to: Pubkey, wh: int) -> Instruction:
        """The `transfer_certificate` of a holding, or of a part of it."""
        return certificates.transfer(holder.pubkey(), pdas.certificate_holding(certificate, number), to, wh)

    def cancel(
        self,
        holder: Keypair,
        certificate: Pubkey,
        number: int,
        *,
        beneficiary: str = "university library",
        purpose: str = "electricity of 2025",
    ) -> Instruction:
        """The `cancel_certificate` of a holding."""
        payer = self.campus.chain.payer.pubkey()
        return certificates.cancel(
            payer, holder.pubkey(), certificate, number, beneficiary=beneficiary, purpose=purpose
        )

    def check(self, certificate: Pubkey) -> None:
        """Checks that holdings add up to the face value, and cancelled ones to what is cancelled."""
        stored = self.campus.chain.account("energy_token", certificate)
        parts = [self.holding(certificate, number) for number in range(stored.holding_count)]
        assert all(part.certificate == certificate and part.wh > 0 for part in parts)
        assert [part.number for part in parts] == list(range(stored.holding_count))
        assert sum(part.wh for part in parts) == stored.face_value_wh
        assert sum(part.wh for part in parts if part.cancelled) == stored.cancelled_wh
        for part in parts:
            stated = pdas.cancellation(pdas.certificate_holding(certificate, part.number))
            assert self.campus.chain.exists(stated) == part.cancelled


def blinding(meter_id: str, start_s: int, revision: int) -> bytes:
    """Returns the blinding of a leaf (16 bytes), the same in every run."""
    return hashlib.sha256(f"{meter_id} {start_s} {revision}".encode()).digest()[:16]
