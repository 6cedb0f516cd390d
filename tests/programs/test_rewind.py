"""What happens in a rewound world leaves nothing behind: no account, no lamport, no second, no code."""

import pytest

from hub.chain import pdas
from support.programs.attacks.governance_scenes import upgrade_registry
from support.programs.attacks.world import HOME, World, bare_world, founded_world
from support.programs.svm import deterministic_key


@pytest.fixture
def world() -> World:
    """The scenes' own."""
    return founded_world()


def test_accounts_and_clock_are_as_before(world: World) -> None:
    now, balance = world.chain.now, world.exchange.balance(world.ann)
    with world.svm.rewound():
        world.settled(HOME)
        world.chain.ok(world.exchange.close(HOME), signers=[world.settler])
        world.chain.advance(1)
        assert world.exchange.balance(world.ann) > balance
    assert (world.chain.now, world.exchange.balance(world.ann)) == (now, balance)
    assert not world.chain.exists(pdas.settlement(HOME))
    world.check()


def test_an_inner_world_goes_back_to_the_outer_one(world: World) -> None:
    with world.svm.rewound():
        world.chain.ok(world.exchange.deposit(world.ann, 1_000), signers=[world.ann.key])
        between = world.exchange.balance(world.ann)
        with world.svm.rewound():
            world.chain.ok(world.exchange.deposit(world.ann, 1_000), signers=[world.ann.key])
        assert world.exchange.balance(world.ann) == between
    assert world.exchange.balance(world.ann) == between - 1_000


def test_lamports_can_be_given_again(world: World) -> None:
    poor = deterministic_key("poor").pubkey()
    for _ in range(2):
        with world.svm.rewound():
            world.chain.svm.airdrop(poor, 5)
            assert world.chain.svm.get_balance(poor) == 5
        assert not world.chain.exists(poor)


def test_old_code_runs_again(world: World) -> None:
    register = world.campus.register_participant(world.chain.key("somebody"))
    with world.svm.rewound():
        call = upgrade_registry(world)
        world.chain.ok(*call.before, call.instruction)
    with world.svm.rewound():
        world.chain.ok(register, signers=[world.campus.registrar, world.chain.key("somebody")])


def test_a_bare_world_is_one() -> None:
    assert not bare_world().chain.exists(pdas.governance_authority())
