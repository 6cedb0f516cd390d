"""Compute units of certificates: issued on campuses of 1,000 and of 65,536 meters, sliced, transferred, cancelled."""

from dataclasses import replace

from solders.pubkey import Pubkey

from edge.wire import merkle
from hub.chain import pdas
from hub.chain.instructions import certificates
from hub.chain.instructions.certificates import AttestedEnergy
from hub.chain.programs import PROGRAM_IDS
from support.programs.campus_chain import INTERVAL_S
from support.programs.certified import PV, SETTLED_S, Certified, MeterEnergy
from support.programs.market_chain import founded_exchange
from support.programs.measure import Measure, tries
from support.programs.svm import START

ISSUE_BUDGET_CU = 20_000
MOST_METERS = 65_536
METER, METERS = "ROOF_1", 1_000


def measures() -> list[Measure]:
    """Returns the measures from issue to cancellation."""
    certified = Certified(founded_exchange())
    certified.meter(METER, "ann")
    return [_issued(certified), _issued_on_the_largest(certified), *_used(certified)]


def _issued(certified: Certified) -> Measure:
    meters = {f"FLAT_{n}": MeterEnergy(import_wh=n) for n in range(METERS - 1)} | {METER: MeterEnergy(20, 1_000)}
    certified.attest(START, meters)
    certified.campus.chain.advance(SETTLED_S)
    return _measured(certified, START, certified.energy(METER, START), f"{METERS:,} meters")


def _issued_on_the_largest(certified: Certified) -> Measure:
    start = START + INTERVAL_S
    certified.attested[start, 1] = {METER: MeterEnergy(20, 1_000)}
    (leaf,) = certified.leaves(start)
    path = [bytes([level]) * 32 for level in range(MOST_METERS.bit_length() - 1)]
    energy = replace(certified.energy(METER, start), leaf_index=MOST_METERS // 3, path=path)
    root = merkle.climb(leaf, energy.leaf_index, MOST_METERS, path)
    assert root is not None
    certified.campus.attested(start, merkle_root=list(root), meters_valid=MOST_METERS)
    certified.campus.chain.advance(SETTLED_S)
    return _measured(certified, start, energy, f"{MOST_METERS:,} meters")


def _measured(certified: Certified, start_s: int, energy: AttestedEnergy, note: str) -> Measure:
    chain = certified.campus.chain
    ix = certificates.issue(
        chain.payer.pubkey(),
        certified.body.pubkey(),
        meter_id=METER,
        start_s=start_s,
        revision=1,
        energy=energy,
        device=PV,
    )
    outcome = chain.ok(ix, signers=[certified.body])
    made = pdas.certificate(METER, start_s)
    oracle_seeds = [b"interval", start_s.to_bytes(8, "little"), (2).to_bytes(2, "little")]
    searched = tries(Pubkey.find_program_address(oracle_seeds, PROGRAM_IDS["oracle"])[1])
    searched += tries(certified.certificate(METER, start_s).bump) + tries(certified.holding(made, 0).bump)
    return Measure("energy_token", "issue_certificate", outcome.compute_units, searched, ISSUE_BUDGET_CU, note)


def _used(certified: Certified) -> list[Measure]:
    chain, ann, made = certified.campus.chain, certified.owners[METER], pdas.certificate(METER, START)
    cut = chain.ok(certified.cut(ann, made, 0, 300), signers=[ann])
    passed = chain.ok(certified.transfer(ann, made, 1, chain.key("bob").pubkey(), 300), signers=[ann])
    ended = chain.ok(certified.cancel(ann, made, 0), signers=[ann])
    certified.check(made)
    stated = chain.account("energy_token", pdas.cancellation(pdas.certificate_holding(made, 0)))
    return [
        Measure("energy_token", "slice_certificate", cut.compute_units, tries(certified.holding(made, 1).bump)),
        Measure("energy_token", "transfer_certificate", passed.compute_units),
        Measure("energy_token", "cancel_certificate", ended.compute_units, tries(stated.bump)),
    ]
