"""Compute units of governance, registry and oracle, in the order in which a campus comes to be."""

from support.programs.campus_chain import (
    ORACLE,
    REGISTRY,
    TIME_LOCK_S,
    Campus,
    interval_address,
    new_campus,
    proposal_address,
    rate_set,
    schedule_rates,
    set_pause,
)
from support.programs.measure import Measure, tries
from support.programs.svm import START, pda


def measures() -> list[Measure]:
    """Governance, then registry, then oracle."""
    campus = new_campus()
    return [*_founding(campus), *_governance(campus), *_registry(campus), *_oracle(campus)]


def _founding(campus: Campus) -> list[Measure]:
    chain, signers = campus.chain, [campus.chain.upgrade_authority]
    governance = chain.ok(campus.found_governance(), signers=signers).compute_units
    registry = chain.ok(campus.found_registry(), signers=signers).compute_units
    oracle = chain.ok(campus.found_oracle(), signers=signers).compute_units
    return [
        Measure("governance", "initialize", governance, note="3 accounts"),
        Measure("registry", "initialize", registry, tries(chain.account("registry", REGISTRY).bump)),
        Measure("oracle", "initialize", oracle, tries(chain.account("oracle", ORACLE).bump)),
    ]


def _governance(campus: Campus) -> list[Measure]:
    chain, (cosigner, _) = campus.chain, campus.cosigners
    propose = chain.ok(campus.propose(set_pause(paused=False)), signers=[campus.validator]).compute_units
    approve = chain.ok(campus.approve(0, cosigner), signers=[cosigner]).compute_units
    pause = chain.ok(campus.execute(0)).compute_units
    rates = campus.decide(schedule_rates(rate_set(chain.now + TIME_LOCK_S))).compute_units
    bump = chain.account("governance", proposal_address(0)).bump
    return [
        Measure("governance", "propose", propose, tries(bump)),
        Measure("governance", "approve", approve),
        Measure("governance", "execute", pause, note="pause"),
        Measure("governance", "execute", rates, note="rates"),
    ]


def _registry(campus: Campus) -> list[Measure]:
    chain, registrar, wallet = campus.chain, campus.registrar, campus.chain.key("anna")
    key = chain.key("gateway key 1").pubkey()
    gateway = pda("registry", b"gateway", b"gw-north")
    calls = {
        "register_participant": (campus.register_participant(wallet), pda("registry", b"participant", wallet.pubkey())),
        "register_gateway": (campus.register_gateway("gw-north"), gateway),
        "add_gateway_key": (
            campus.add_gateway_key("gw-north", key, START),
            pda("registry", b"gateway_key", key),
        ),
        "register_meter": (
            campus.register_meter("METER_001", wallet.pubkey(), "gw-north"),
            pda("registry", b"meter", b"METER_001"),
        ),
    }
    found = []
    for name, (ix, address) in calls.items():
        signers = [registrar, wallet] if name == "register_participant" else [registrar]
        compute_units = chain.ok(ix, signers=signers).compute_units
        budget = 10_000 if name == "register_meter" else None
        found.append(Measure("registry", name, compute_units, tries(chain.account("registry", address).bump), budget))
    return found


def _oracle(campus: Campus) -> list[Measure]:
    chain, signers = campus.chain, campus.attestors[:2]
    chain.advance(900)
    first = chain.ok(campus.attest(START), signers=signers).compute_units
    second = chain.ok(campus.attest(START, revision=2, previous=1), signers=signers).compute_units
    bumps = [chain.account("oracle", interval_address(START, revision)).bump for revision in (1, 2)]
    return [
        Measure("oracle", "attest", first, tries(bumps[0]), 12_000, note="2 of 3 attestors"),
        Measure("oracle", "attest", second, tries(bumps[1]), 12_000, note="a correction"),
    ]
