"""Compute units of what changes after the founding: registry, attestors, authority, votes and code; and of a proof."""

from edge.wire import merkle
from hub.chain import pdas
from hub.chain.instructions import actions, governance, oracle, registry
from support.programs.campus_chain import TIME_LOCK_S, Campus, founded_campus
from support.programs.decisions import DAY_S, approved, executed, new_attestors, new_members, proposed
from support.programs.measure import Measure, tries
from support.programs.registered import METER_ID, NORTH, SOUTH, anna, ben, registered_campus
from support.programs.svm import START
from support.programs.upgrades import NEW_HASH, hand_over, put_buffer, run, upgrade


def measures() -> list[Measure]:
    """Registry, then oracle, then governance."""
    return [
        *_registry(registered_campus()),
        *_inclusion(founded_campus()),
        _attestors(founded_campus()),
        *_votes(registered_campus()),
        *_upgrades(founded_campus()),
        _authority(founded_campus()),
    ]


def _registry(campus: Campus) -> list[Measure]:
    chain, registrar = campus.chain, campus.registrar
    payer, by, new = chain.payer.pubkey(), registrar.pubkey(), ben(campus)
    key, named = chain.key("gateway key 1").pubkey(), chain.key("new registrar")
    chain.ok(campus.add_gateway_key(NORTH, key, chain.now), signers=[registrar])
    new_meter = registry.Replacement("METER_002", NORTH, "load", 10_000, bytes(32))
    swap = registry.swap_meter(payer, by, METER_ID, new_meter, chain.now)
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
    keys = new_attestors(campus)
    attestors = [key.pubkey() for key in keys]
    number = executed(campus, actions.change_attestors(attestors, 2, START + 3 * DAY_S), wait_s=0)
    outcome = campus.chain.ok(oracle.adopt_attestors(number, attestors), signers=keys)
    return Measure("oracle", "adopt_attestors", outcome.compute_units)


def _votes(campus: Campus) -> list[Measure]:
    chain, member, voter = campus.chain, campus.validator, anna(campus)
    number = proposed(campus, actions.resolve(bytes(32)))
    put = chain.ok(governance.put_to_vote(member.pubkey(), number), signers=[member]).compute_units
    ix = governance.cast_vote(chain.payer.pubkey(), voter.pubkey(), number, yes=True)
    cast = chain.ok(ix, signers=[voter]).compute_units
    revoke = chain.ok(governance.revoke(member.pubkey(), number), signers=[member]).compute_units
    bump = chain.account("governance", pdas.governance_vote(number, voter.pubkey())).bump
    return [
        Measure("governance", "revoke", revoke),
        Measure("governance", "put_to_vote", put),
        Measure("governance", "cast_vote", cast, tries(bump)),
    ]


def _upgrades(campus: Campus) -> list[Measure]:
    hand_over(campus)
    put_buffer(campus)
    chain, heir = campus.chain, campus.chain.key("heir")
    upgrades = approved(campus, actions.upgrade("registry", NEW_HASH))
    heirs = approved(campus, actions.change_upgrade_authority("registry", heir.pubkey()))
    chain.advance(TIME_LOCK_S)
    upgraded = run(campus, upgrade(upgrades)).compute_units
    handed = chain.ok(governance.change_upgrade_authority(heirs, "registry", heir.pubkey()), signers=[heir])
    return [
        Measure("governance", "upgrade", upgraded, note="to oracle.so, whose bytes are hashed"),
        Measure("governance", "change_upgrade_authority", handed.compute_units),
    ]


def _authority(campus: Campus) -> Measure:
    members = new_members(campus)
    keys = [member.pubkey() for member in members]
    number = approved(campus, actions.change_authority(keys[0], keys, 2))
    campus.chain.advance(TIME_LOCK_S)
    outcome = campus.chain.ok(governance.accept_authority(number, keys[:2]), signers=members[:2])
    return Measure("governance", "accept_authority", outcome.compute_units, note="2 of 3 new members")
