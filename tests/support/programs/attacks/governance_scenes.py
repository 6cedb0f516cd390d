"""Scenes of governance. Proposal number 0 is another one; number 1 is the scene's."""

from typing import Any

from solders.compute_budget import set_compute_unit_limit
from solders.pubkey import Pubkey

from hub.chain import pdas
from hub.chain.instructions import actions, governance
from support.programs.attacks.scene import Call, founding, scene
from support.programs.attacks.world import ANOTHER, World
from support.programs.campus_chain import TIME_LOCK_S
from support.programs.decisions import DAY_S, approved, new_attestors, new_members, propose, proposed
from support.programs.svm import PROGRAM_IDS
from support.programs.upgrades import NEW_HASH, hand_over, put_buffer, upgrade

OTHER, OURS = 0, 1
QUORUM_PERCENT, OPEN_S = 20, 7 * DAY_S


def rates(world: World) -> governance.Rates:
    """In force a little after the time lock."""
    return governance.Rates(world.chain.now + TIME_LOCK_S + DAY_S, 110, 26, 6, 2_100, 5_100)


@founding("governance")
def initialize(world: World) -> Call:
    """The deployer founds the authority set."""
    campus = world.campus
    return Call(campus.found_governance(), [world.payer, world.chain.upgrade_authority])


def _propose(world: World, action: Any) -> Call:
    """A member proposes."""
    proposed(world.campus, actions.set_pause(paused=True))
    return Call(propose(world.campus, action), [world.payer, world.campus.validator])


@scene("governance", "propose")
def propose_rates(world: World) -> Call:
    """A member proposes rates."""
    return _propose(world, actions.schedule_rates(rates(world)))


@scene("governance", "propose", "time lock")
def propose_time_lock(world: World) -> Call:
    """A member proposes another time lock."""
    return _propose(world, actions.set_time_lock(TIME_LOCK_S + DAY_S))


@scene("governance", "propose", "vote rules")
def propose_vote_rules(world: World) -> Call:
    """A member proposes how participants vote."""
    return _propose(world, actions.set_vote_rules(binding=True, quorum_percent=QUORUM_PERCENT, duration_s=OPEN_S))


@scene("governance", "propose", "authority set")
def propose_authority(world: World) -> Call:
    """A member proposes another authority set."""
    keys = [member.pubkey() for member in new_members(world.campus)]
    return _propose(world, actions.change_authority(keys[0], keys, 2))


@scene("governance", "propose", "attestors")
def propose_attestors(world: World) -> Call:
    """A member proposes other attestors."""
    keys = [attestor.pubkey() for attestor in new_attestors(world.campus, 3)]
    return _propose(world, actions.change_attestors(keys, 2, world.chain.now + 3 * DAY_S))


@scene("governance", "propose", "payees")
def propose_payees(world: World) -> Call:
    """A member proposes who gets the charges."""
    return _propose(world, actions.change_payees(world.ann.token, world.ann.token, world.ann.token))


@scene("governance", "approve")
def approve(world: World) -> Call:
    """A second member approves."""
    second = world.campus.cosigners[0]
    for paused in (False, True):
        proposed(world.campus, actions.set_pause(paused=paused))
    return Call(governance.approve(second.pubkey(), OURS), [second])


@scene("governance", "revoke")
def revoke(world: World) -> Call:
    """A member takes an approval back."""
    second = world.campus.cosigners[0]
    for paused in (False, True):
        approved(world.campus, actions.set_pause(paused=paused))
    return Call(governance.revoke(second.pubkey(), OURS), [second])


@scene("governance", "execute")
def execute(world: World) -> Call:
    """Anybody carries out a decision to pause."""
    for paused in (False, True):
        approved(world.campus, actions.set_pause(paused=paused))
    return Call(governance.execute(OURS))


@scene("governance", "execute", "rates")
def execute_rates(world: World) -> Call:
    """Anybody carries out a decision on rates; the other proposal lacks approvals."""
    proposed(world.campus, actions.set_pause(paused=True))
    approved(world.campus, actions.schedule_rates(rates(world)))
    return Call(governance.execute(OURS))


@scene("governance", "accept_authority")
def accept_authority(world: World) -> Call:
    """Two of three new members take over."""
    members = new_members(world.campus)
    keys = [member.pubkey() for member in members]
    proposed(world.campus, actions.change_authority(keys[0], keys, 2))
    approved(world.campus, actions.change_authority(keys[0], keys, 2))
    world.chain.advance(TIME_LOCK_S)
    accept = governance.accept_authority(OURS, keys[:2])
    return Call(accept, members[:2], more=["new member", "second new member"])


@scene("governance", "put_to_vote")
def put_to_vote(world: World) -> Call:
    """The proposer asks the participants."""
    for text in (bytes(32), bytes([7] * 32)):
        proposed(world.campus, actions.resolve(text))
    validator = world.campus.validator
    return Call(governance.put_to_vote(validator.pubkey(), OURS), [validator])


@scene("governance", "cast_vote")
def cast_vote(world: World) -> Call:
    """Ann votes, Ben has voted; they were registered an interval before."""
    validator, ben = world.campus.validator, world.ben
    for index in (OTHER, OURS):
        proposed(world.campus, actions.resolve(bytes([index] * 32)))
        world.chain.ok(governance.put_to_vote(validator.pubkey(), index), signers=[validator])
    by_ben = governance.cast_vote(world.payer.pubkey(), ben.wallet, OURS, yes=False)
    world.chain.ok(by_ben, signers=[ben.key])
    by_ann = governance.cast_vote(world.payer.pubkey(), world.ann.wallet, OURS, yes=True)
    wallet = world.stranger.pubkey()
    strangers = {"wallet": wallet, "vote": pdas.governance_vote(OURS, wallet)}
    return Call(by_ann, [world.payer, world.ann.key], together={"stranger": strangers})


@scene("governance", "upgrade")
def upgrade_registry(world: World) -> Call:
    """Anybody brings the code that was decided; the other proposal decides on other code."""
    campus = world.campus
    hand_over(campus)
    put_buffer(campus)
    approved(campus, actions.upgrade("registry", bytes(32)))
    approved(campus, actions.upgrade("registry", NEW_HASH))
    world.chain.advance(TIME_LOCK_S)
    return Call(upgrade(OURS), before=[set_compute_unit_limit(1_400_000)], together=_another_program())


@scene("governance", "change_upgrade_authority")
def change_upgrade_authority(world: World) -> Call:
    """The next upgrade authority of the registry accepts; the other proposal names another."""
    campus, heir = world.campus, world.chain.key("heir")
    hand_over(campus)
    for key in (world.stranger, heir):
        approved(campus, actions.change_upgrade_authority("registry", key.pubkey()))
    world.chain.advance(TIME_LOCK_S)
    changed = governance.change_upgrade_authority(OURS, "registry", heir.pubkey())
    return Call(changed, [heir], together=_another_program())


def _another_program() -> dict[str, dict[str, Pubkey]]:
    return {ANOTHER: {"program": PROGRAM_IDS["trading"], "program_data": pdas.program_data("trading")}}
