"""A certificate is issued once, by the REC validator, for exactly what the revision in force attests of a meter."""

from dataclasses import replace
from typing import Any

import pytest
from solders.account import Account
from solders.hash import Hash
from solders.message import Message
from solders.transaction import Transaction

from edge.wire import merkle
from edge.wire.ladder import interval_leaf
from hub.chain import pdas
from hub.chain.instructions import certificates, registry
from support.programs.campus_chain import AUTHORITY, INTERVAL_S, PARAMS
from support.programs.certified import HOUR_S, PV, SETTLED_S, Certified, MeterEnergy, blinding
from support.programs.market_chain import Exchange
from support.programs.refusals import check_forgeries_are_refused
from support.programs.svm import START, assert_in_use, swapped, unsigned

END = START + INTERVAL_S
TRANSACTION_BYTES = 1_232
MOST_METERS = 65_536
METERS = {
    "FEED_1": MeterEnergy(import_wh=300, export_wh=1_200, feeder=True),
    "FLAT_1": MeterEnergy(import_wh=400),
    "ROOF_1": MeterEnergy(import_wh=20, export_wh=1_000),
    "ROOF_2": MeterEnergy(export_wh=700),
    "ROOF_3": MeterEnergy(export_wh=900, quality="estimated"),
    "SHOP_1": MeterEnergy(import_wh=90, export_wh=5),
}


@pytest.fixture
def certified(exchange: Exchange) -> Certified:
    """Six meters of two people, one of them a mere load and one a feeder, attested once and settled."""
    found = Certified(exchange)
    for meter_id, owner in zip(METERS, ("ann", "ann", "ann", "bob", "bob", "ann"), strict=True):
        found.meter(meter_id, owner, kind={"SHOP_1": 1, "FEED_1": 4}.get(meter_id, 3))
    found.attest(START, METERS)
    found.campus.chain.set_time(END + SETTLED_S)
    return found


def test_what_a_meter_exported_is_certified_to_its_owner(certified: Certified) -> None:
    chain, owner = certified.campus.chain, certified.owners["ROOF_1"].pubkey()
    event = chain.ok(certified.issue("ROOF_1", START), signers=[certified.body]).event("CertificateIssued")
    address = pdas.certificate("ROOF_1", START)
    told = (event.certificate, event.meter, event.producer, event.wh, event.withheld_wh, event.revision, event.number)
    assert told == (address, pdas.meter("ROOF_1"), owner, 1_000, 0, 1, 0)
    found = certified.certificate("ROOF_1", START)
    assert (found.issuing_body, found.meter, found.producer) == (
        certified.body.pubkey(),
        pdas.meter("ROOF_1"),
        owner,
    )
    assert (found.production_start_s, found.production_end_s, found.issued_at_s) == (START, END, chain.now)
    assert (found.face_value_wh, found.cancelled_wh, found.holding_count, found.revision) == (1_000, 0, 1, 1)
    assert (found.number, found.withheld_wh, found.certificate_count) == (0, 0, 1)
    assert (found.counted_wh, found.counted_revision) == (1_000, 1)
    assert bytes(found.evidence_root) == merkle.root(certified.leaves(START))
    stated = (bytes(found.technology), bytes(found.grid_zone), bytes(found.country), found.source, found.supported)
    assert stated == (b"T010100\0", b"10YTH-EGAT-----1", b"TH", 0, 0)
    assert (found.commissioned_at_s, found.latitude_e6, found.longitude_e6, found.rated_power_w) == (
        PV.commissioned_at_s,
        PV.latitude_e6,
        PV.longitude_e6,
        10_000,
    )
    first = certified.holding(address, 0)
    assert (first.certificate, first.holder, first.wh, first.number, first.cancelled) == (address, owner, 1_000, 0, 0)
    certified.check(address)


def test_a_meter_and_interval_are_certified_once(certified: Certified) -> None:
    chain, signers = certified.campus.chain, [certified.body]
    chain.ok(certified.issue("ROOF_1", START), signers=signers)
    assert_in_use(chain.send(certified.issue("ROOF_1", START), signers=signers))
    assert_in_use(chain.send(certified.issue("ROOF_1", START, device=replace(PV, source="Wind")), signers=signers))
    chain.ok(certified.issue("ROOF_2", START), signers=signers)


def test_only_the_rec_validator_issues(certified: Certified) -> None:
    chain, eve = certified.campus.chain, certified.campus.chain.key("eve")
    chain.fails("NotIssuer", certified.issue("ROOF_1", START, body=eve), signers=[eve])
    for key in (certified.campus.cosigners[0], certified.campus.registrar, certified.owners["ROOF_1"]):
        chain.fails("NotIssuer", certified.issue("ROOF_1", START, body=key), signers=[key])
    chain.fails("AccountNotSigner", unsigned(certified.issue("ROOF_1", START), certified.body.pubkey()))


def test_accounts_are_those_of_their_programs(certified: Certified) -> None:
    chain, body, ix = certified.campus.chain, [certified.body], certified.issue("ROOF_1", START)
    genuine = {AUTHORITY: "governance", pdas.meter("ROOF_1"): "registry", pdas.interval(START): "oracle"}
    for address, program in genuine.items():
        check_forgeries_are_refused(chain, ix, program, address, signers=body)
    chain.fails("AccountDiscriminatorMismatch", swapped(ix, AUTHORITY, PARAMS), signers=body)


def test_another_meter_another_interval_another_place_lead_nowhere(certified: Certified) -> None:
    chain, signers, other = certified.campus.chain, [certified.body], START + INTERVAL_S
    certified.attest(other, {"ROOF_1": MeterEnergy(export_wh=50), "ROOF_2": MeterEnergy(export_wh=60)})
    chain.set_time(other + INTERVAL_S + SETTLED_S)
    ix = certified.issue("ROOF_1", START)
    made = pdas.certificate("ROOF_1", START)
    for mine, foreign in (
        (pdas.meter("ROOF_1"), pdas.meter("ROOF_2")),
        (pdas.interval(START), pdas.interval(other)),
        (pdas.interval(START, 2), pdas.interval(START, 3)),
        (pdas.interval(START, 2), pdas.interval(other, 2)),
        (made, pdas.certificate("ROOF_2", START)),
        (made, pdas.certificate("ROOF_1", START, 1)),
        (pdas.certificate_holding(made, 0), pdas.certificate_holding(made, 1)),
    ):
        chain.fails("ConstraintSeeds", swapped(ix, mine, foreign), signers=signers)
    theirs = certified.energy("ROOF_2", START)
    foreign_proof = certified.issue(
        "ROOF_1",
        START,
        leaf_index=theirs.leaf_index,
        path=theirs.path,
        blinding=theirs.blinding,
        export_wh=700,
        import_wh=0,
    )
    chain.fails("NotAttested", foreign_proof, signers=signers)


@pytest.mark.parametrize(
    "change",
    [
        {"import_wh": 0},
        {"import_wh": 2**64 - 1},
        {"export_wh": 1},
        {"export_wh": 999},
        {"export_wh": 1_001},
        {"export_wh": 2**64 - 1},
        {"blinding": bytes(16)},
        {"leaf_index": 0},
        {"leaf_index": 5},
        {"leaf_index": 2**32 - 1},
        {"path": []},
        {"path": [bytes(32)] * 3},
        {"path": [bytes(32)] * 16},
        {"path": [bytes(31)]},
    ],
)
def test_what_was_not_attested_is_not_certified(certified: Certified, change: dict[str, Any]) -> None:
    chain, signers = certified.campus.chain, [certified.body]
    chain.fails("NotAttested", certified.issue("ROOF_1", START, **change), signers=signers)
    chain.ok(certified.issue("ROOF_1", START), signers=signers)


def test_estimated_energy_no_energy_and_loads_are_not_certified(certified: Certified) -> None:
    chain, signers = certified.campus.chain, [certified.body]
    chain.fails("NotAttested", certified.issue("ROOF_3", START), signers=signers)
    chain.fails("NothingToCertify", certified.issue("FLAT_1", START), signers=signers)
    chain.fails("NothingToCertify", certified.issue("ROOF_1", START, export_wh=0), signers=signers)
    chain.fails("NotProducer", certified.issue("SHOP_1", START), signers=signers)


def test_a_feeder_is_never_certified(certified: Certified) -> None:
    """Though its leaf is in the tree, and the others' total has room for its export."""
    chain, signers = certified.campus.chain, [certified.body]
    chain.fails("FeederNotCertified", certified.issue("FEED_1", START), signers=signers)
    chain.fails("FeederNotCertified", certified.issue("FEED_1", START, export_wh=1), signers=signers)


def test_a_producer_without_an_account_gets_one_from_anybody(certified: Certified) -> None:
    chain, signers, cleo = certified.campus.chain, [certified.body], certified.campus.chain.key("cleo")
    campus, payer = certified.campus, chain.payer.pubkey()
    chain.fails("AccountNotInitialized", certificates.open_producer(payer, cleo.pubkey()))
    campus.add_participant(cleo)
    handed = registry.transfer_meter(certified.owners["ROOF_1"].pubkey(), cleo.pubkey(), "ROOF_1")
    chain.ok(handed, signers=[certified.owners["ROOF_1"], cleo])
    ix = certified.issue("ROOF_1", START)
    chain.fails("AccountOwnedByWrongProgram", ix, signers=signers)
    chain.drop_lamports_at(pdas.producer(cleo.pubkey()))
    opened = chain.ok(certificates.open_producer(payer, cleo.pubkey()))
    assert opened.event("ProducerOpened").wallet == cleo.pubkey()
    assert_in_use(chain.send(certificates.open_producer(payer, cleo.pubkey())))
    chain.fails(
        "WrongProducer", certified.issue("ROOF_1", START, producer=certified.owners["ROOF_2"].pubkey()), signers=signers
    )
    chain.ok(ix, signers=signers)
    assert certified.holding(pdas.certificate("ROOF_1", START), 0).holder == cleo.pubkey()


def test_a_leaf_above_the_intervals_total_is_not_certified(certified: Certified) -> None:
    campus, start, wh = certified.campus, START + INTERVAL_S, 2**64 - 1
    leaf = interval_leaf(start, start + INTERVAL_S, "ROOF_1", 0, wh, "valid", blinding("ROOF_1", start, 1))
    campus.attested(start, merkle_root=list(leaf), meters_valid=1, import_wh=0, export_wh=25_000_000)
    certified.attested[start, 1] = {"ROOF_1": MeterEnergy(export_wh=wh)}
    campus.chain.advance(SETTLED_S)
    campus.chain.fails("NotAttested", certified.issue("ROOF_1", start), signers=[certified.body])


def test_it_waits_for_73_hours(certified: Certified) -> None:
    chain, signers, start = certified.campus.chain, [certified.body], START + 400 * INTERVAL_S
    certified.attest(start, METERS)
    for early in (start + INTERVAL_S, start + INTERVAL_S + SETTLED_S - 1):
        chain.set_time(early)
        chain.fails("TooEarlyToIssue", certified.issue("ROOF_1", start), signers=signers)
    chain.set_time(start + INTERVAL_S + SETTLED_S)
    chain.ok(certified.issue("ROOF_1", start), signers=signers)


def test_it_follows_the_revision_in_force_72_hours_after_its_attestation(certified: Certified) -> None:
    chain, signers, start = certified.campus.chain, [certified.body], START + 400 * INTERVAL_S
    certified.attest(start, METERS)
    chain.set_time(start + INTERVAL_S + 70 * HOUR_S)
    corrected = chain.now
    certified.attest(
        start, METERS | {"ROOF_1": MeterEnergy(export_wh=800), "ROOF_3": MeterEnergy(export_wh=850)}, revision=2
    )
    chain.set_time(corrected + 72 * HOUR_S - 1)
    chain.fails("TooEarlyToIssue", certified.issue("ROOF_1", start, 2), signers=signers)
    chain.advance(1)
    chain.fails("NotInForce", certified.issue("ROOF_1", start, 1), signers=signers)
    mixed = swapped(certified.issue("ROOF_1", start, 1), pdas.interval(start, 2), pdas.interval(start, 3))
    chain.fails("ConstraintSeeds", mixed, signers=signers)
    for meter_id, wh in (("ROOF_1", 800), ("ROOF_3", 850)):
        chain.ok(certified.issue(meter_id, start, 2), signers=signers)
        found = certified.certificate(meter_id, start)
        assert (found.face_value_wh, found.revision) == (wh, 2)


def test_a_strangers_lamports_do_not_stop_an_issue(certified: Certified) -> None:
    chain, made = certified.campus.chain, pdas.certificate("ROOF_1", START)
    ix = certified.issue("ROOF_1", START)
    for address in (
        pdas.interval(START, 2),
        made,
        pdas.certificate("ROOF_1", START, 1),
        pdas.certificate_holding(made, 0),
    ):
        chain.drop_lamports_at(address)
    chain.ok(ix, signers=[certified.body])
    certified.check(made)


@pytest.mark.parametrize(
    "change",
    [
        {"country": "th"},
        {"technology": "SOLAR"},
        {"grid_zone": ""},
        {"latitude_e6": 2**31 - 1},
        {"longitude_e6": -(2**31)},
        {"commissioned_at_s": START + 1},
        {"commissioned_at_s": -1},
    ],
)
def test_a_device_that_cannot_be_is_refused(certified: Certified, change: dict[str, Any]) -> None:
    ix = certified.issue("ROOF_1", START, device=replace(PV, **change))
    certified.campus.chain.fails("InvalidDevice", ix, signers=[certified.body])


def test_an_interval_above_an_hour_is_not_granular(unfounded: Exchange) -> None:
    """The oracle of this campus has intervals of two hours."""
    campus, chain, start = unfounded.campus, unfounded.chain, START // 7200 * 7200
    config = pdas.oracle_config()
    stored = chain.svm.get_account(config)
    assert stored is not None
    longer = bytes(stored.data).replace(INTERVAL_S.to_bytes(4, "little"), (7200).to_bytes(4, "little"))
    chain.svm.set_account(config, Account(stored.lamports, longer, stored.owner))
    certified = Certified(unfounded)
    certified.meter("ROOF_1", "ann")
    chain.set_time(start + 7200)
    leaf = interval_leaf(start, start + 7200, "ROOF_1", 0, 1_000, "valid", blinding("ROOF_1", start, 1))
    campus.attested(start, merkle_root=list(leaf), meters_valid=1)
    certified.attested[start, 1] = {"ROOF_1": MeterEnergy(export_wh=1_000)}
    chain.set_time(start + 7200 + SETTLED_S)
    chain.fails("IntervalTooLong", certified.issue("ROOF_1", start), signers=[certified.body])


def test_the_proof_of_the_largest_campus_fits_a_transaction(certified: Certified) -> None:
    path = [bytes(32)] * (MOST_METERS.bit_length() - 1)
    ix = certificates.issue(
        certified.campus.chain.payer.pubkey(),
        certified.body.pubkey(),
        certified.evidence("ROOF_1", START, 1, path=path),
        PV,
        producer=certified.owners["ROOF_1"].pubkey(),
        number=1,
    )
    message = Message([ix], certified.campus.chain.payer.pubkey())
    signed = Transaction([certified.campus.chain.payer, certified.body], message, Hash.default())
    assert len(bytes(signed)) <= TRANSACTION_BYTES
