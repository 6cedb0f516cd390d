"""Compute units of what governance decides about the oracle and the registry, and of the proof of a meter."""

from edge.wire import merkle
from hub.chain import pdas
from hub.chain.instructions import actions, oracle, registry
from support.campus_chain import Campus, founded_campus
from support.decisions import DAY_S, executed
from support.measure import Measure, tries
from support.registered import METER_ID, NORTH, SOUTH, anna, ben, registered_campus
from support.svm import START


def measures() -> list[Measure]:
    """Registry, then oracle."""
    return [*_registry(registered_campus()), *_inclusion(founded_campus()), _attestors(founded_campus())]


def _registry(campus: Campus) -> list[Measure]:
    chain, registrar = campus.chain, campus.registrar
    payer, by, new = chain.payer.pubkey(), registrar.pubkey(), ben(campus)
    key, named = chain.key("gateway key 1").pubkey(), chain.key("new registrar")
    chain.ok(campus.add_gateway_key(NORTH, key, chain.now), signers=[registrar])
    swap = registry.swap_meter(
        payer,
        by,
        old_meter_id=METER_ID,
        meter_id="METER_002",
        gateway_id=NORTH,
        kind="load",
        rated_power_w=10_000,
        serial_hash=bytes(32),
        at_s=chain.now,
    )
    named_by = executed(campus, actions.change_registrar(named.pubkey()))
    calls = {
        "set_participant_status": (registry.set_participant_status(by, new.pubkey(), "suspended"), [registrar]),
        "set_gateway_status": (registry.set_gateway_status(by, SOUTH, "suspended"), [registrar]),
        "end_gateway_key": (registry.end_gateway_key(by, key, chain.now), [registrar]),
        "swap_meter": (swap, [registrar]),
        "set_meter_status": (registry.set_meter_status(by, "METER_002", "suspended"), [registrar]),
        "adopt_registrar": (registry.adopt_registrar(named_by, named.pubkey()), [named]),
    }
    found = {name: chain.ok(ix, signers=signers).compute_units for name, (ix, signers) in calls.items()}
    searched = {"swap_meter": tries(chain.account("registry", pdas.meter("METER_002")).bump)}
    measured = [Measure("registry", name, took, searched.get(name, 0)) for name, took in found.items()]
    return [*measured, *_owners(registered_campus())]


def _owners(campus: Campus) -> list[Measure]:
    chain, old, new = campus.chain, anna(campus), ben(campus)
    transfer = registry.transfer_meter(old.pubkey(), new.pubkey(), METER_ID)
    first = chain.ok(transfer, signers=[old, new]).compute_units
    number = executed(campus, actions.reassign_meter(METER_ID, old.pubkey()))
    second = chain.ok(registry.reassign_meter(number, METER_ID, old.pubkey())).compute_units
    return [Measure("registry", "transfer_meter", first), Measure("registry", "reassign_meter", second)]


def _inclusion(campus: Campus) -> list[Measure]:
    found = []
    for number, (meters, neighbours) in enumerate(((15, 4), (65_536, 16))):
        start, path = START + 900 * number, [bytes([level]) * 32 for level in range(neighbours)]
        root = merkle.climb(b"\x2a" * 32, 0, meters, path)
        assert root is not None
        campus.attested(start, merkle_root=list(root), meters_valid=meters)
        compute_units = campus.chain.ok(oracle.verify_inclusion(start, b"\x2a" * 32, 0, path)).compute_units
        note = f"{meters:,} meters"
        found.append(Measure("oracle", "verify_inclusion", compute_units, budget_cu=6_000, note=note))
    return found


def _attestors(campus: Campus) -> Measure:
    keys = [campus.chain.key(f"new attestor {number}") for number in (1, 2)]
    attestors = [key.pubkey() for key in keys]
    number = executed(campus, actions.change_attestors(attestors, 2, START + 3 * DAY_S), wait_s=0)
    outcome = campus.chain.ok(oracle.adopt_attestors(number, attestors), signers=keys)
    return Measure("oracle", "adopt_attestors", outcome.compute_units)
