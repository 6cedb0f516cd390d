"""Registry: a meter is replaced at a moment by another at the same place, of the same owner."""

from typing import Any

import pytest
from solders.instruction import Instruction

from hub.chain import pdas
from hub.chain.instructions import registry
from support.programs.campus_chain import ORACLE, REGISTRY, Campus
from support.programs.registered import METER_ID, NORTH, SOUTH, anna, registered_campus
from support.programs.svm import assert_in_use, swapped, unsigned

NEW_ID = "METER_001_B"
CORRECTABLE_S = 72 * 3600


@pytest.fixture
def campus() -> Campus:
    return registered_campus()


def swap(campus: Campus, old_meter_id: str = METER_ID, at_s: int | None = None, **changes: Any) -> Instruction:
    """Anna's meter is replaced, by default now, by one at the same gateway."""
    details: dict[str, Any] = {
        "meter_id": NEW_ID,
        "gateway_id": NORTH,
        "kind": "bidirectional",
        "rated_power_w": 20_000,
        "serial_hash": b"\x07" * 32,
    }
    at = campus.chain.now if at_s is None else at_s
    new = registry.Replacement(**(details | changes))
    return registry.swap_meter(campus.chain.payer.pubkey(), campus.registrar.pubkey(), old_meter_id, new, at)


def test_the_old_one_ends_when_the_new_one_begins(campus: Campus) -> None:
    chain, at = campus.chain, campus.chain.now - 10
    outcome = chain.ok(swap(campus, at_s=at, gateway_id=SOUTH), signers=[campus.registrar])
    old, new = (chain.account("registry", pdas.meter(one)) for one in (METER_ID, NEW_ID))
    assert (old.status, old.since_s, old.owner) == (3, at, anna(campus).pubkey())
    assert (new.id, new.status, new.since_s, new.owner) == (NEW_ID, 1, at, anna(campus).pubkey())
    assert (new.gateway, new.kind, new.rated_power_w) == (pdas.gateway(SOUTH), 3, 20_000)
    assert (bytes(new.serial_hash), new.zone) == (b"\x07" * 32, old.zone)
    assert (old.usage_point, new.usage_point) == (None, pdas.meter(METER_ID))
    event = outcome.event("MeterSwapped")
    assert (event.usage_point, event.old_meter, event.new_meter, event.at_s) == (
        pdas.meter(METER_ID),
        pdas.meter(METER_ID),
        pdas.meter(NEW_ID),
        at,
    )


def test_the_place_stays_over_several_swaps(campus: Campus) -> None:
    chain = campus.chain
    chain.ok(swap(campus), signers=[campus.registrar])
    chain.advance(60)
    chain.ok(swap(campus, old_meter_id=NEW_ID, meter_id="METER_001_C"), signers=[campus.registrar])
    assert chain.account("registry", pdas.meter("METER_001_C")).usage_point == pdas.meter(METER_ID)


@pytest.mark.parametrize(
    ("since_s", "at_s", "error"),
    [
        (60, 1, "InvalidSwapTime"),
        (60, -61, "InvalidSwapTime"),
        (60, -60, None),
        (2 * CORRECTABLE_S, -CORRECTABLE_S - 1, "InvalidSwapTime"),
        (2 * CORRECTABLE_S, -CORRECTABLE_S, None),
        (60, -(2**62), "InvalidSwapTime"),
        (60, 2**62, "InvalidSwapTime"),
    ],
)
def test_it_happened_as_long_ago_as_corrections_reach(
    campus: Campus, since_s: int, at_s: int, error: str | None
) -> None:
    campus.chain.advance(since_s - 60)
    outcome = campus.chain.send(swap(campus, at_s=campus.chain.now + at_s), signers=[campus.registrar])
    assert outcome.error == error


def test_a_meter_is_replaced_once_and_by_a_new_one(campus: Campus) -> None:
    chain, signers = campus.chain, [campus.registrar]
    chain.fails("ConstraintSeeds", swapped(swap(campus), pdas.meter(NEW_ID), pdas.meter("OTHER")), signers=signers)
    assert_in_use(chain.send(swap(campus, meter_id=METER_ID), signers=signers))
    chain.ok(swap(campus), signers=signers)
    chain.fails("MeterNotActive", swap(campus, meter_id="METER_001_C"), signers=signers)
    chain.fails("Retired", registry.set_meter_status(signers[0].pubkey(), METER_ID, "active"), signers=signers)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"meter_id": ""}, "InvalidMeterId"),
        ({"meter_id": "meter"}, "InvalidMeterId"),
        ({"rated_power_w": 0}, "InvalidRatedPower"),
        ({"rated_power_w": 2**32 - 1}, "InvalidRatedPower"),
        ({"gateway_id": "gw-west"}, "AccountNotInitialized"),
        ({"old_meter_id": "METER_009"}, "AccountNotInitialized"),
    ],
)
def test_the_new_one_has_the_limits_of_any_meter(campus: Campus, changes: dict[str, Any], error: str) -> None:
    campus.chain.fails(error, swap(campus, **changes), signers=[campus.registrar])
    assert campus.chain.account("registry", pdas.meter(METER_ID)).status == 1


def test_suspended_meters_and_gateways_take_no_part_in_it(campus: Campus) -> None:
    chain, signers, registrar = campus.chain, [campus.registrar], campus.registrar.pubkey()
    chain.ok(registry.set_gateway_status(registrar, SOUTH, "suspended"), signers=signers)
    chain.fails("GatewayNotActive", swap(campus, gateway_id=SOUTH), signers=signers)
    chain.ok(registry.set_meter_status(registrar, METER_ID, "suspended"), signers=signers)
    chain.fails("MeterNotActive", swap(campus), signers=signers)


def test_only_the_registrar_replaces_a_meter(campus: Campus) -> None:
    chain, ix, registrar = campus.chain, swap(campus), campus.registrar.pubkey()
    for other in (chain.key("stranger"), anna(campus)):
        chain.fails("NotRegistrar", swapped(ix, registrar, other.pubkey()), signers=[other])
    chain.fails("AccountNotSigner", unsigned(ix, registrar))
    for account, wrong, error in (
        (pdas.meter(METER_ID), pdas.gateway(NORTH), "AccountDiscriminatorMismatch"),
        (pdas.gateway(NORTH), pdas.meter(METER_ID), "AccountDiscriminatorMismatch"),
        (REGISTRY, pdas.gateway(NORTH), "AccountDiscriminatorMismatch"),
        (REGISTRY, ORACLE, "AccountOwnedByWrongProgram"),
    ):
        chain.fails(error, swapped(ix, account, wrong), signers=[campus.registrar])
