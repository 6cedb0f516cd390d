"""Every address that the hub derives is the one that the programs derive: their seeds, written a second time."""

from collections.abc import Callable
from pathlib import Path

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from hub.chain import pdas
from hub.chain.bootstrap import Bootstrap
from support.programs.svm import pda, program_data_address

KEY = Pubkey(bytes(range(32)))
START_S = 1_750_000_500
START = bytes.fromhex("74e34e6800000000")


@pytest.mark.parametrize(
    ("derive", "program", "seeds"),
    [
        (pdas.governance_authority, "governance", (b"authority",)),
        (pdas.governance_params, "governance", (b"params",)),
        (pdas.governance_pause, "governance", (b"pause",)),
        (lambda: pdas.governance_proposal(258), "governance", (b"proposal", b"\2\1\0\0\0\0\0\0")),
        (lambda: pdas.governance_vote(258, KEY), "governance", (b"vote", b"\2\1\0\0\0\0\0\0", KEY)),
        (pdas.governance_upgrader, "governance", (b"upgrader",)),
        (pdas.registry_config, "registry", (b"config",)),
        (lambda: pdas.participant(KEY), "registry", (b"participant", KEY)),
        (lambda: pdas.gateway("gw"), "registry", (b"gateway", b"gw")),
        (lambda: pdas.gateway_key(KEY), "registry", (b"gateway_key", KEY)),
        (lambda: pdas.meter("M"), "registry", (b"meter", b"M")),
        (pdas.oracle_config, "oracle", (b"config",)),
        (lambda: pdas.interval(START_S), "oracle", (b"interval", START, b"\1\0")),
        (lambda: pdas.interval(-1, 258), "oracle", (b"interval", b"\xff" * 8, b"\2\1")),
        (pdas.energy_state, "energy_token", (b"state",)),
        (pdas.energy_mint, "energy_token", (b"mint",)),
        (pdas.energy_pool, "energy_token", (b"pool",)),
        (lambda: pdas.minted_interval(START_S), "energy_token", (b"minted", START)),
        (
            lambda: pdas.certificate("M", START_S),
            "energy_token",
            (b"certificate", pda("registry", b"meter", b"M"), START, b"\0\0"),
        ),
        (
            lambda: pdas.certificate("M", START_S, 258),
            "energy_token",
            (b"certificate", pda("registry", b"meter", b"M"), START, b"\2\1"),
        ),
        (lambda: pdas.producer(KEY), "energy_token", (b"producer", KEY)),
        (lambda: pdas.certificate_holding(KEY, 258), "energy_token", (b"holding", KEY, b"\2\1\0\0")),
        (lambda: pdas.cancellation(KEY), "energy_token", (b"cancellation", KEY)),
        (pdas.market, "trading", (b"market",)),
        (pdas.currency_pool, "trading", (b"pool",)),
        (lambda: pdas.vault("loss"), "trading", (b"vault", b"loss")),
        (lambda: pdas.account(KEY), "trading", (b"account", KEY)),
        (lambda: pdas.settlement(START_S), "trading", (b"settlement", START)),
    ],
)
def test_an_address_follows_from_the_programs_seeds(
    derive: Callable[[], Pubkey], program: str, seeds: tuple[bytes | Pubkey, ...]
) -> None:
    assert derive() == pda(program, *seeds)
    assert pdas.program_data(program) == program_data_address(program)


def test_each_key_has_its_file(tmp_path: Path) -> None:
    keys = Bootstrap.load_or_create(tmp_path)
    names = {
        "fee_payer": keys.fee_payer, "upgrade_authority": keys.upgrade_authority, "rec_validator": keys.members[0],
        "cosigner_1": keys.members[1], "cosigner_2": keys.members[2], "registrar": keys.registrar,
        "attestor": keys.attestors[0], "settler": keys.settler, "currency_mint": keys.currency_mint,
        "mint_authority": keys.mint_authority,
    }  # fmt: skip
    files = {file.stem: Keypair.from_json(file.read_text()) for file in tmp_path.iterdir()}
    assert files == names and (len(keys.members), len(keys.attestors)) == (3, 1)
    assert Bootstrap.load_or_create(tmp_path) == keys
    assert keys.mint == keys.currency_mint.pubkey()
    made = Bootstrap.random()
    assert len({bytes(key) for key in (made.fee_payer, *made.members, *made.attestors, made.settler)}) == 6
