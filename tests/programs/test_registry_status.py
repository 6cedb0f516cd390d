"""Registry: participants, gateways and meters are suspended, taken back and retired, and then take no part."""

from collections.abc import Callable

import pytest
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from hub.chain import pdas
from hub.chain.instructions import registry
from hub.chain.instructions.registry import Status
from support.programs.campus_chain import ORACLE, REGISTRY, Campus
from support.programs.decisions import DAY_S
from support.programs.market_chain import Exchange
from support.programs.registered import ANNA, METER_ID, NORTH, SOUTH, anna, ben, registered_campus
from support.programs.svm import swapped, unsigned

Setting = Callable[[Campus, Status], Instruction]

SETTINGS: dict[str, tuple[Setting, Callable[[Campus], Pubkey]]] = {
    "participant": (
        lambda campus, status: registry.set_participant_status(
            campus.registrar.pubkey(), anna(campus).pubkey(), status
        ),
        lambda campus: pdas.participant(anna(campus).pubkey()),
    ),
    "gateway": (
        lambda campus, status: registry.set_gateway_status(campus.registrar.pubkey(), NORTH, status),
        lambda _: pdas.gateway(NORTH),
    ),
    "meter": (
        lambda campus, status: registry.set_meter_status(campus.registrar.pubkey(), METER_ID, status),
        lambda _: pdas.meter(METER_ID),
    ),
}
NUMBERS: dict[Status, int] = {"active": 1, "suspended": 2, "retired": 3}


@pytest.fixture
def campus() -> Campus:
    return registered_campus()


@pytest.mark.parametrize("kind", SETTINGS)
def test_a_status_goes_back_and_forth_until_retirement(campus: Campus, kind: str) -> None:
    chain, (setting, address) = campus.chain, SETTINGS[kind]
    steps: list[tuple[Status, str | None]] = [
        ("active", "StatusUnchanged"),
        ("suspended", None),
        ("suspended", "StatusUnchanged"),
        ("active", None),
        ("suspended", None),
        ("retired", None),
        ("retired", "Retired"),
        ("suspended", "Retired"),
        ("active", "Retired"),
    ]
    for status, error in steps:
        outcome = chain.send(setting(campus, status), signers=[campus.registrar])
        assert outcome.error == error, status
        if error is None:
            event = outcome.event(f"{kind.capitalize()}StatusSet")
            assert event.status == chain.account("registry", address(campus)).status == NUMBERS[status]


@pytest.mark.parametrize("kind", SETTINGS)
def test_only_the_registrar_sets_a_status(campus: Campus, kind: str) -> None:
    chain, (setting, address) = campus.chain, SETTINGS[kind]
    ix, registrar = setting(campus, "suspended"), campus.registrar.pubkey()
    for other in (chain.key("stranger"), anna(campus), campus.validator):
        chain.fails("NotRegistrar", swapped(ix, registrar, other.pubkey()), signers=[other])
    chain.fails("AccountNotSigner", unsigned(ix, registrar))
    other_kind = next(item(campus) for name, (_, item) in SETTINGS.items() if name != kind)
    for wrong, error in (
        (other_kind, "AccountDiscriminatorMismatch"),
        (REGISTRY, "AccountDiscriminatorMismatch"),
        (ORACLE, "AccountOwnedByWrongProgram"),
        (chain.payer.pubkey(), "AccountOwnedByWrongProgram"),
    ):
        chain.fails(error, swapped(ix, address(campus), wrong), signers=[campus.registrar])
    chain.fails("AccountOwnedByWrongProgram", swapped(ix, REGISTRY, ORACLE), signers=[campus.registrar])


@pytest.mark.parametrize("kind", SETTINGS)
@pytest.mark.parametrize("number", [0, 4, 255])
def test_there_are_three_statuses(campus: Campus, kind: str, number: int) -> None:
    ix = SETTINGS[kind][0](campus, "suspended")
    unknown = Instruction(ix.program_id, bytes(ix.data)[:-1] + bytes([number]), ix.accounts)
    campus.chain.fails("InvalidStatus", unknown, signers=[campus.registrar])


def test_active_participants_are_counted(campus: Campus) -> None:
    chain, registrar = campus.chain, campus.registrar
    counts = []
    for status in ("suspended", "active", "suspended", "retired"):
        chain.ok(SETTINGS["participant"][0](campus, status), signers=[registrar])
        counts.append(chain.account("registry", REGISTRY).participant_count)
    assert counts == [1, 2, 1, 1]
    chain.ok(registry.set_participant_status(registrar.pubkey(), ben(campus).pubkey(), "retired"), signers=[registrar])
    assert chain.account("registry", REGISTRY).participant_count == 0


@pytest.mark.parametrize("status", ["suspended", "retired"])
def test_whoever_takes_no_part_gets_nothing_new(campus: Campus, status: Status) -> None:
    chain, signers = campus.chain, [campus.registrar]
    key = chain.key("gateway key 1").pubkey()
    new_meter = campus.register_meter("METER_002", anna(campus).pubkey(), NORTH)
    new_key = campus.add_gateway_key(NORTH, key, chain.now)
    chain.ok(SETTINGS["gateway"][0](campus, status), signers=signers)
    chain.fails("GatewayNotActive", new_meter, signers=signers)
    chain.fails("GatewayNotActive", new_key, signers=signers)
    chain.ok(SETTINGS["participant"][0](campus, status), signers=signers)
    elsewhere = campus.register_meter("METER_002", anna(campus).pubkey(), SOUTH)
    chain.fails("ParticipantNotActive", elsewhere, signers=signers)


def test_a_suspended_participant_opens_no_account(exchange: Exchange) -> None:
    campus = exchange.campus
    chain, wallet = campus.chain, campus.chain.key(ANNA)
    campus.add_participant(wallet)
    status = registry.set_participant_status(campus.registrar.pubkey(), wallet.pubkey(), "suspended")
    chain.ok(status, signers=[campus.registrar])
    chain.fails("NotParticipant", exchange.open_account(wallet.pubkey()), signers=[wallet])


def test_a_meters_status_says_since_when(campus: Campus) -> None:
    chain, meter = campus.chain, pdas.meter(METER_ID)
    assert chain.account("registry", meter).since_s == chain.now - 60
    chain.ok(SETTINGS["meter"][0](campus, "suspended"), signers=[campus.registrar])
    assert chain.account("registry", meter).since_s == chain.now


@pytest.mark.parametrize(
    ("offset_s", "error"),
    [(-3_601, "InvalidValidUntil"), (-3_600, None), (0, None), (30 * DAY_S, None), (-(2**62), "InvalidValidUntil")],
)
def test_a_key_ends_an_hour_ago_at_the_earliest(campus: Campus, offset_s: int, error: str | None) -> None:
    chain, signers, key = campus.chain, [campus.registrar], campus.chain.key("gateway key 1").pubkey()
    chain.ok(campus.add_gateway_key(NORTH, key, chain.now), signers=signers)
    chain.advance(DAY_S)
    ix = registry.end_gateway_key(campus.registrar.pubkey(), key, chain.now + offset_s)
    outcome = chain.send(ix, signers=signers)
    assert outcome.error == error
    if error is None:
        assert outcome.event("GatewayKeyEnded").valid_until_s == chain.now + offset_s
        assert chain.account("registry", pdas.gateway_key(key)).valid_until_s == chain.now + offset_s


def test_a_keys_end_only_comes_closer(campus: Campus) -> None:
    chain, signers, key = campus.chain, [campus.registrar], campus.chain.key("gateway key 1").pubkey()
    registrar, begin = campus.registrar.pubkey(), chain.now + DAY_S
    chain.ok(campus.add_gateway_key(NORTH, key, begin), signers=signers)
    chain.fails("InvalidValidUntil", registry.end_gateway_key(registrar, key, begin - 1), signers=signers)
    chain.ok(registry.end_gateway_key(registrar, key, begin + 10), signers=signers)
    for later in (begin + 10, begin + 11, 2**63 - 1):
        chain.fails("KeyEndsSooner", registry.end_gateway_key(registrar, key, later), signers=signers)
    chain.ok(registry.end_gateway_key(registrar, key, begin), signers=signers)
    chain.fails("KeyEndsSooner", registry.end_gateway_key(registrar, key, begin), signers=signers)


def test_only_the_registrar_ends_a_key(campus: Campus) -> None:
    chain, key, stranger = campus.chain, campus.chain.key("gateway key 1").pubkey(), campus.chain.key("stranger")
    chain.ok(campus.add_gateway_key(NORTH, key, chain.now), signers=[campus.registrar])
    ix, registrar = registry.end_gateway_key(campus.registrar.pubkey(), key, chain.now), campus.registrar.pubkey()
    chain.fails("NotRegistrar", swapped(ix, registrar, stranger.pubkey()), signers=[stranger])
    chain.fails("AccountNotSigner", unsigned(ix, registrar))
    wrong = swapped(ix, pdas.gateway_key(key), pdas.gateway(NORTH))
    chain.fails("AccountDiscriminatorMismatch", wrong, signers=[campus.registrar])
    assert chain.account("registry", pdas.gateway_key(key)).valid_until_s == 0
