"""Scenes of the registry."""

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from hub.chain import pdas
from hub.chain.instructions import actions, registry
from support.programs.attacks.scene import Addresses, Call, founding, scene
from support.programs.attacks.world import ANOTHERS, METER, NORTH, SECOND_METER, World
from support.programs.campus_chain import TIME_LOCK_S
from support.programs.decisions import approved, executed

OURS = 1
MAX_ID_BYTES = 32
NEW_METER, NEW_GATEWAY = "METER_009", "gw-east"


def _by_registrar(world: World, *more: Keypair) -> list[Keypair]:
    return [world.payer, world.campus.registrar, *more]


def _meter(account: str) -> Addresses:
    """An id that fits has an address."""
    return lambda meter_id: {account: pdas.meter(meter_id)} if len(meter_id) <= MAX_ID_BYTES else {}


def _gateway(gateway_id: str) -> dict[str, Pubkey]:
    return {"gateway": pdas.gateway(gateway_id)} if len(gateway_id) <= MAX_ID_BYTES else {}


def _gateway_key(key: bytes) -> dict[str, Pubkey]:
    return {"gateway_key": pdas.gateway_key(Pubkey(key))}


@founding("registry")
def initialize(world: World) -> Call:
    """The deployer names the registrar."""
    founder = world.chain.upgrade_authority
    world.chain.ok(world.campus.found_governance(), signers=[founder])
    return Call(world.campus.found_registry(), [world.payer, founder])


@scene("registry", "register_participant")
def register_participant(world: World) -> Call:
    """The registrar and a newcomer."""
    return Call(world.campus.register_participant(world.newcomer), _by_registrar(world, world.newcomer))


@scene("registry", "register_gateway")
def register_gateway(world: World) -> Call:
    """The registrar enters a gateway."""
    return Call(world.campus.register_gateway(NEW_GATEWAY), _by_registrar(world), addresses={"id": _gateway})


@scene("registry", "add_gateway_key")
def add_gateway_key(world: World) -> Call:
    """The registrar gives the northern gateway a key."""
    key = world.chain.key("second key").pubkey()
    added = world.campus.add_gateway_key(NORTH, key, world.chain.now)
    return Call(added, _by_registrar(world), addresses={"key": _gateway_key})


@scene("registry", "register_meter")
def register_meter(world: World) -> Call:
    """The registrar binds a meter to Ann and the northern gateway."""
    registered = world.campus.register_meter(NEW_METER, world.ann.wallet, NORTH)
    return Call(registered, _by_registrar(world), addresses={"id": _meter("meter")})


@scene("registry", "set_participant_status")
def set_participant_status(world: World) -> Call:
    """The registrar suspends Ann."""
    by = world.campus.registrar
    return Call(registry.set_participant_status(by.pubkey(), world.ann.wallet, "suspended"), [by])


@scene("registry", "set_gateway_status")
def set_gateway_status(world: World) -> Call:
    """The registrar suspends the northern gateway."""
    by = world.campus.registrar
    return Call(registry.set_gateway_status(by.pubkey(), NORTH, "suspended"), [by])


@scene("registry", "set_meter_status")
def set_meter_status(world: World) -> Call:
    """The registrar suspends Ann's meter."""
    by = world.campus.registrar
    return Call(registry.set_meter_status(by.pubkey(), METER, "suspended"), [by])


@scene("registry", "end_gateway_key")
def end_gateway_key(world: World) -> Call:
    """The registrar ends the northern gateway's key."""
    by, key = world.campus.registrar, world.chain.key(f"key of {NORTH}").pubkey()
    return Call(registry.end_gateway_key(by.pubkey(), key, world.chain.now), [by])


@scene("registry", "swap_meter")
def swap_meter(world: World) -> Call:
    """The registrar replaces Ann's meter."""
    new = registry.Replacement(NEW_METER, NORTH, "bidirectional", 10_000, bytes(32))
    payer, by = world.payer.pubkey(), world.campus.registrar.pubkey()
    swapped = registry.swap_meter(payer, by, METER, new, world.chain.now)
    return Call(swapped, _by_registrar(world), addresses={"id": _meter("new_meter")})


@scene("registry", "transfer_meter")
def transfer_meter(world: World) -> Call:
    """Ann gives her meter to Cid; both sign."""
    ann, cid = world.ann.key, world.cid
    ben = world.ben.wallet
    bens = {"owner": ben, "old_participant": pdas.participant(ben)}
    transferred = registry.transfer_meter(ann.pubkey(), cid.pubkey(), METER)
    return Call(transferred, [ann, cid], together={ANOTHERS: bens})


@scene("registry", "reassign_meter")
def reassign_meter(world: World) -> Call:
    """Governance has given Ann's meter to Cid; the other decision is on her second one."""
    cid = world.cid.pubkey()
    for meter in (SECOND_METER, METER):
        executed(world.campus, actions.reassign_meter(meter, cid))
    return Call(registry.reassign_meter(OURS, METER, cid))


@scene("registry", "reassign_meter", "not executed")
def reassign_meter_by_an_open_decision(world: World) -> Call:
    """As before; another decision of the same is approved, and waits for its time lock."""
    cid, campus = world.cid.pubkey(), world.campus
    open_number = approved(campus, actions.reassign_meter(METER, cid))
    ours = executed(campus, actions.reassign_meter(METER, cid))
    reassigned = registry.reassign_meter(ours, METER, cid)
    return Call(reassigned, others={"proposal": {"open": pdas.governance_proposal(open_number)}})


@scene("registry", "adopt_registrar")
def adopt_registrar(world: World) -> Call:
    """The decided registrar accepts; the other decision names another."""
    new = world.chain.key("new registrar")
    for key in (world.stranger, new):
        executed(world.campus, actions.change_registrar(key.pubkey()), wait_s=TIME_LOCK_S)
    return Call(registry.adopt_registrar(OURS, new.pubkey()), [new])
