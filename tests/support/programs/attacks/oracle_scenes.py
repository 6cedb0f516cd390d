"""Scenes of the oracle."""

from typing import Any

from edge.wire import merkle
from hub.chain.instructions import actions, oracle
from support.programs.attacks.scene import Call, founding, scene
from support.programs.attacks.world import EXPORT_WH, HOME, World
from support.programs.campus_chain import interval_address
from support.programs.decisions import DAY_S, executed, new_attestors
from support.programs.svm import START

OURS = 1
SECOND_ATTESTOR = ["second attestor"]


@founding("oracle")
def initialize(world: World) -> Call:
    """The deployer names the attestors."""
    founder = world.chain.upgrade_authority
    world.chain.ok(world.campus.found_governance(), signers=[founder])
    return Call(world.campus.found_oracle(), [world.payer, founder])


@scene("oracle", "attest")
def attest(world: World) -> Call:
    """Two of three attestors attest an interval that has just ended."""
    return _attest(world)


@scene("oracle", "attest", "correction")
def correct(world: World) -> Call:
    """The same two correct it."""
    world.attested()
    return _attest(world, revision=2, previous=1)


def _attest(world: World, **changes: Any) -> Call:
    totals = {"meters_valid": 2, "import_wh": EXPORT_WH, "export_wh": EXPORT_WH} | changes
    attested, number = world.campus.attest(HOME, **totals), totals.get("revision", 1)
    return Call(
        attested,
        [world.payer, *world.campus.attestors[:2]],
        start_s=HOME,
        addresses={
            "start_s": lambda start_s: {"interval": interval_address(start_s, number)},
            "revision": lambda revision: {"interval": interval_address(HOME, revision)},
        },
        more=SECOND_ATTESTOR,
    )


@scene("oracle", "adopt_attestors")
def adopt_attestors(world: World) -> Call:
    """Two of two decided attestors accept; the other decision names others."""
    campus, begin_s = world.campus, START + 6 * DAY_S
    keys = new_attestors(campus)
    for attestors in ([world.stranger.pubkey()], [key.pubkey() for key in keys]):
        executed(campus, actions.change_attestors(attestors, len(attestors), begin_s), wait_s=0)
    adopted = oracle.adopt_attestors(OURS, [key.pubkey() for key in keys])
    return Call(adopted, keys, more=["new attestor", "second new attestor"])


@scene("oracle", "verify_inclusion")
def verify_inclusion(world: World) -> Call:
    """Somebody shows that Ann's second meter is among the interval's."""
    world.attested()
    leaves = world.certified.leaves(HOME)
    path = merkle.path(leaves, 1)
    return Call(oracle.verify_inclusion(HOME, leaves[1], 1, path), start_s=HOME)
