"""Plays a scene and every attack on it, each in the world as the scene left it, and names what came of it."""

import re
from functools import cache

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from support.programs.attacks.cells import Attack, Cells, Place, begin
from support.programs.attacks.kinds import kind_of
from support.programs.attacks.scene import Call, Scene
from support.programs.attacks.shapes import shapes
from support.programs.attacks.world import World
from support.programs.svm import TOKEN_2022

OK = "ok"
UNNAMED = re.compile(r"0x|ProgramFailedToComplete|ComputationalBudgetExceeded")
"""What would be no declared refusal: a foreign number, a panic, a loop."""
_TOKEN, _SYSTEM = "token program", "system program"
_FOREIGN = {
    f"{TOKEN_2022}:0x1": f"{_TOKEN}: InsufficientFunds",
    f"{TOKEN_2022}:0x3": f"{_TOKEN}: MintMismatch",
    f"{TOKEN_2022}:0x4": f"{_TOKEN}: OwnerMismatch",
    f"{Pubkey.default()}:0x0": f"{_SYSTEM}: AccountAlreadyInUse",
}


@cache
def play(scene: Scene) -> dict[Place, str]:
    """The outcome of every attack on the scene: `ok`, or the refusal's name.

    Raises:
        AssertionError: the scene's own call fails, or an invariant does after an attack that went through.
    """
    world = scene.world()
    with world.svm.rewound():
        call = scene.build(world)
        cells = Cells(world, shapes()[scene.shape], call, _created(world, call))
        return {attack.place: _outcome(world, call, attack) for attack in cells.attacks()}


def _created(world: World, call: Call) -> dict[Pubkey, str | None]:
    metas = call.instruction.accounts
    missing = [meta.pubkey for meta in metas if not world.chain.exists(meta.pubkey)]
    with world.svm.rewound():
        begin(world, call)
        world.check()
        kinds = {address: kind_of(world, address) for address in missing}
    return {address: kind for address, kind in kinds.items() if kind is not None}


def _outcome(world: World, call: Call, attack: Attack) -> str:
    with world.svm.rewound():
        attack.prepare(world)
        outcome = world.play(*call.before, attack.instruction, signers=_signers(world, call, attack))
        if outcome.error is None:
            world.check()
            return OK
        return _FOREIGN.get(outcome.error, outcome.error)


def _signers(world: World, call: Call, attack: Attack) -> list[Keypair]:
    known = [*call.signers, world.stranger, world.chain.key("trader ben")]
    keys = {key.pubkey(): key for key in known}
    asked = [meta.pubkey for ix in (*call.before, attack.instruction) for meta in ix.accounts if meta.is_signer]
    return [keys[address] for address in asked if address != world.carrier.pubkey()]
