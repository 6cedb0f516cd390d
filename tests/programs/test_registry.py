"""Registry: participants, gateways, keys and meters, entered by the registrar alone."""

import hashlib

import pytest
from solders.pubkey import Pubkey

from support.programs.campus_chain import ORACLE, REGISTRY, Campus
from support.programs.decisions import DAY_S
from support.programs.refusals import check_only_the_upgrade_authority_founds
from support.programs.svm import assert_in_use, pda, swapped, unsigned

WALLET = "anna"
GATEWAY = pda("registry", b"gateway", b"gw-north")
METER = pda("registry", b"meter", b"METER_001")


@pytest.fixture
def entered(campus: Campus) -> Campus:
    """A campus with one participant and one gateway."""
    wallet = campus.chain.key(WALLET)
    campus.add_participant(wallet)
    campus.add_gateway("gw-north")
    return campus


def wallet_of(campus: Campus) -> Pubkey:
    return campus.chain.key(WALLET).pubkey()


def test_founding_names_the_registrar(bare: Campus) -> None:
    chain, signers = bare.chain, [bare.chain.upgrade_authority]
    chain.fails("AccountNotInitialized", bare.found_registry(), signers=signers)
    chain.ok(bare.found_governance(), signers=signers)
    ix = bare.found_registry()
    check_only_the_upgrade_authority_founds(chain, "registry", ix)
    outcome = chain.ok(ix, signers=signers)
    assert outcome.event("RegistryFounded").registrar == bare.registrar.pubkey()
    config = chain.account("registry", REGISTRY)
    assert (config.registrar, config.participant_count) == (bare.registrar.pubkey(), 0)
    assert_in_use(chain.send(ix, signers=signers))


def test_a_wallet_becomes_participant_when_both_sign(campus: Campus) -> None:
    chain, wallet = campus.chain, campus.chain.key(WALLET)
    ix = campus.register_participant(wallet)
    chain.fails("AccountNotSigner", unsigned(ix, wallet.pubkey()), signers=[campus.registrar])
    chain.fails("AccountNotSigner", unsigned(ix, campus.registrar.pubkey()), signers=[wallet])
    as_stranger = swapped(ix, campus.registrar.pubkey(), chain.payer.pubkey())
    chain.fails("NotRegistrar", as_stranger, signers=[wallet])
    outcome = chain.ok(ix, signers=[campus.registrar, wallet])
    assert outcome.event("ParticipantRegistered").wallet == wallet.pubkey()
    participant = chain.account("registry", pda("registry", b"participant", wallet.pubkey()))
    assert (participant.wallet, participant.status) == (wallet.pubkey(), 1)
    assert (bytes(participant.zone).rstrip(b"\0"), participant.registered_at_s) == (b"campus", chain.now)
    assert_in_use(chain.send(ix, signers=[campus.registrar, wallet]))


def test_a_gateway_has_a_name(campus: Campus) -> None:
    chain, signers = campus.chain, [campus.registrar]
    for bad in ("", "-north", "Gw-north", "gw_north"):
        chain.fails("InvalidGatewayId", campus.register_gateway(bad), signers=signers)
    outcome = chain.ok(campus.register_gateway("gw-north"), signers=signers)
    assert outcome.event("GatewayRegistered").id == "gw-north"
    gateway = chain.account("registry", GATEWAY)
    assert (gateway.id, gateway.status, gateway.key_count) == ("gw-north", 1, 0)
    assert_in_use(chain.send(campus.register_gateway("gw-north"), signers=signers))
    chain.ok(campus.register_gateway("a" * 32), signers=signers)


def test_an_id_claims_no_other_ids_address(campus: Campus) -> None:
    other = pda("registry", b"gateway", b"gw-south")
    ix = swapped(campus.register_gateway("gw-north"), GATEWAY, other)
    campus.chain.fails("ConstraintSeeds", ix, signers=[campus.registrar])


def test_a_gateway_gets_keys_one_account_each(entered: Campus) -> None:
    chain, signers = entered.chain, [entered.registrar]
    first, second = chain.key("gateway key 1").pubkey(), chain.key("gateway key 2").pubkey()
    chain.ok(entered.add_gateway_key("gw-north", first, chain.now), signers=signers)
    outcome = chain.ok(entered.add_gateway_key("gw-north", second, chain.now + 30 * DAY_S), signers=signers)
    assert outcome.event("GatewayKeyAdded").key == second
    key = chain.account("registry", pda("registry", b"gateway_key", first))
    assert (key.gateway, key.key, key.valid_from_s, key.valid_until_s) == (GATEWAY, first, chain.now, 0)
    assert chain.account("registry", GATEWAY).key_count == 2
    assert_in_use(chain.send(entered.add_gateway_key("gw-north", first, chain.now), signers=signers))


def test_a_key_belongs_to_one_gateway(entered: Campus) -> None:
    chain, signers, key = entered.chain, [entered.registrar], entered.chain.key("gateway key 1").pubkey()
    chain.ok(entered.register_gateway("gw-south"), signers=signers)
    chain.ok(entered.add_gateway_key("gw-north", key, chain.now), signers=signers)
    assert_in_use(chain.send(entered.add_gateway_key("gw-south", key, chain.now), signers=signers))


def test_a_key_signs_nothing_from_before_its_gateway(entered: Campus) -> None:
    chain, signers, key = entered.chain, [entered.registrar], entered.chain.key("gateway key 1").pubkey()
    earliest = chain.account("registry", GATEWAY).registered_at_s - 3_600
    chain.advance(30 * DAY_S)
    for valid_from_s in (1, earliest - 1):
        chain.fails("InvalidValidFrom", entered.add_gateway_key("gw-north", key, valid_from_s), signers=signers)
    chain.ok(entered.add_gateway_key("gw-north", key, earliest), signers=signers)


def test_gateway_keys_have_limits(entered: Campus) -> None:
    chain, signers, key = entered.chain, [entered.registrar], entered.chain.key("gateway key 1").pubkey()
    for valid_from_s in (-(2**63), 0, chain.now + 30 * DAY_S + 1, 2**63 - 1):
        chain.fails("InvalidValidFrom", entered.add_gateway_key("gw-north", key, valid_from_s), signers=signers)
    chain.fails("InvalidKey", entered.add_gateway_key("gw-north", Pubkey.default(), 1), signers=signers)
    as_stranger = swapped(entered.add_gateway_key("gw-north", key, 1), entered.registrar.pubkey(), chain.payer.pubkey())
    chain.fails("NotRegistrar", as_stranger)


def test_a_meter_is_bound_to_owner_and_gateway(entered: Campus) -> None:
    chain, signers = entered.chain, [entered.registrar]
    serial = list(hashlib.sha256(b"4711").digest())
    ix = entered.register_meter("METER_001", wallet_of(entered), "gw-north", serial_hash=serial)
    outcome = chain.ok(ix, signers=signers)
    assert outcome.event("MeterRegistered").meter == METER
    meter = chain.account("registry", METER)
    assert (meter.id, meter.owner, meter.gateway) == ("METER_001", wallet_of(entered), GATEWAY)
    assert (meter.kind, meter.rated_power_w, list(meter.serial_hash), meter.status) == (3, 10_000, serial, 1)
    assert bytes(meter.zone).rstrip(b"\0") == b"campus"
    assert_in_use(chain.send(ix, signers=signers))


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_a_meter_is_of_a_load_generation_both_or_a_feeder(entered: Campus, kind: int) -> None:
    ix = entered.register_meter("METER_001", wallet_of(entered), "gw-north", kind=kind)
    entered.chain.ok(ix, signers=[entered.registrar])
    assert entered.chain.account("registry", METER).kind == kind


@pytest.mark.parametrize(
    ("meter_id", "changes", "error"),
    [
        ("", {}, "InvalidMeterId"),
        ("meter_001", {}, "InvalidMeterId"),
        ("METER-001", {}, "InvalidMeterId"),
        ("METER_001", {"kind": 0}, "InvalidMeterKind"),
        ("METER_001", {"kind": 5}, "InvalidMeterKind"),
        ("METER_001", {"kind": 255}, "InvalidMeterKind"),
        ("METER_001", {"rated_power_w": 0}, "InvalidRatedPower"),
        ("METER_001", {"rated_power_w": 100_000_001}, "InvalidRatedPower"),
        ("METER_001", {"rated_power_w": 2**32 - 1}, "InvalidRatedPower"),
    ],
)
def test_meters_have_limits(entered: Campus, meter_id: str, changes: dict[str, object], error: str) -> None:
    ix = entered.register_meter(meter_id, wallet_of(entered), "gw-north", **changes)
    entered.chain.fails(error, ix, signers=[entered.registrar])
    assert not entered.chain.exists(METER)


def test_a_meter_takes_no_strangers_and_no_unknown_accounts(entered: Campus) -> None:
    chain, signers = entered.chain, [entered.registrar]
    ix = entered.register_meter("METER_001", wallet_of(entered), "gw-north")
    chain.fails("NotRegistrar", swapped(ix, entered.registrar.pubkey(), chain.payer.pubkey()))
    chain.fails("AccountNotSigner", unsigned(ix, entered.registrar.pubkey()))
    nobody = entered.register_meter("METER_001", chain.payer.pubkey(), "gw-north")
    chain.fails("AccountNotInitialized", nobody, signers=signers)
    unknown = entered.register_meter("METER_001", wallet_of(entered), "gw-south")
    chain.fails("AccountNotInitialized", unknown, signers=signers)
    participant = pda("registry", b"participant", wallet_of(entered))
    chain.fails("AccountDiscriminatorMismatch", swapped(ix, participant, GATEWAY), signers=signers)
    chain.fails("AccountDiscriminatorMismatch", swapped(ix, GATEWAY, participant), signers=signers)
    chain.fails("AccountDiscriminatorMismatch", swapped(ix, REGISTRY, participant), signers=signers)
    chain.fails("AccountOwnedByWrongProgram", swapped(ix, REGISTRY, ORACLE), signers=signers)
    assert not chain.exists(METER)
