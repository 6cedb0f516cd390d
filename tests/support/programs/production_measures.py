"""Compute units of certificates: issued on campuses of 1,000 and of 65,536 meters, added to by a later revision, taken
back, sliced, transferred, cancelled."""

from dataclasses import replace

from solders.pubkey import Pubkey

from edge.wire import merkle
from hub.chain import pdas
from hub.chain.instructions import certificates
from hub.chain.instructions.certificates import AttestedEnergy, Evidence
from hub.chain.programs import PROGRAM_IDS
from support.programs.campus_chain import INTERVAL_S
from support.programs.certified import OBJECTION_S, PV, SETTLED_S, Certified, MeterEnergy
from support.programs.market_chain import founded_exchange
from support.programs.measure import Measure, tries
from support.programs.svm import START

ISSUE_BUDGET_CU = 20_000
MOST_METERS = 65_536
METER, METERS = "ROOF_1", 1_000


def measures() -> list[Measure]:
    """Returns the measures from issue to cancellation."""
    certified = Certified(founded_exchange())
    opened = _opened(certified)
    certified.meter(METER, "ann")
    issued = [_issued(certified), _issued_on_the_largest(certified)]
    return [opened, *issued, *_used(certified), *_revised(certified)]


def _opened(certified: Certified) -> Measure:
    chain, ann = certified.campus.chain, certified.campus.chain.key("ann")
    certified.campus.add_participant(ann)
    outcome = chain.ok(certificates.open_producer(chain.payer.pubkey(), ann.pubkey()))
    stored = chain.account("energy_token", pdas.producer(ann.pubkey()))
    return Measure("energy_token", "open_producer", outcome.compute_units, tries(stored.bump))


def _issued(certified: Certified) -> Measure:
    certified.attest(START, _energy(1_000))
    certified.campus.chain.advance(SETTLED_S)
    return _measured(certified, START, certified.energy(METER, START), f"{METERS:,} meters")


def _energy(export_wh: int) -> dict[str, MeterEnergy]:
    flats = {f"FLAT_{n}": MeterEnergy(import_wh=n) for n in range(METERS - 1)}
    return flats | {METER: MeterEnergy(20, export_wh)}


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
        Evidence(METER, start_s, 1, energy),
        PV,
        producer=certified.producer(METER, start_s),
    )
    outcome = chain.ok(ix, signers=[certified.body])
    made = pdas.certificate(METER, start_s)
    searched = _next_tries(start_s, 1)
    searched += tries(certified.certificate(METER, start_s).bump) + tries(certified.holding(made, 0).bump)
    return Measure("energy_token", "issue_certificate", outcome.compute_units, searched, ISSUE_BUDGET_CU, note)


def _next_tries(start_s: int, revision: int) -> int:
    """How many tries the address of the revision after this one takes."""
    seeds = [b"interval", start_s.to_bytes(8, "little"), (revision + 1).to_bytes(2, "little")]
    return tries(Pubkey.find_program_address(seeds, PROGRAM_IDS["oracle"])[1])


def _revised(certified: Certified) -> list[Measure]:
    """A later revision has more than is certified, another one less."""
    chain, further = certified.campus.chain, pdas.certificate(METER, START, 1)
    for revision, export_wh in ((2, 1_100), (3, 900)):
        certified.attest(START, _energy(export_wh), revision)
        chain.advance(OBJECTION_S)
        if revision == 2:
            added = chain.ok(certified.issue(METER, START, 2, number=1), signers=[certified.body])
    taken = chain.ok(certified.take_back(METER, START, 3))
    searched = _next_tries(START, 2)
    searched += tries(certified.certificate(METER, START, 1).bump) + tries(certified.holding(further, 0).bump)
    note = f"{METERS:,} meters"
    return [
        Measure(
            "energy_token", "issue_certificate", added.compute_units, searched, ISSUE_BUDGET_CU, f"a difference, {note}"
        ),
        Measure("energy_token", "take_back_export", taken.compute_units, _next_tries(START, 3), note=note),
    ]


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
