"""Reads what a chain runs: its genesis, the five programs compared with the published hashes, their first accounts.

All of it is public and comes from any RPC node. `peerwatt-hub chain status` and the explorer show it.
"""

from dataclasses import asdict, dataclass
from typing import Any

from solders.pubkey import Pubkey

from hub.chain import loader, pdas
from hub.chain.client import ChainClient
from hub.chain.programs import NAMES, PROGRAM_IDS, program_binary, published_hash

CLUSTERS = {
    "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d": "mainnet-beta",
    "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG": "devnet",
}
"""Names of Solana's public clusters by genesis hash; every other chain is private."""


@dataclass(frozen=True)
class ProgramState:
    """One of the five programs as it is deployed on a chain."""

    name: str
    address: str
    deployed: bool
    sha256: str | None
    """Hash of the deployed code, in hex; None when the program is not deployed."""
    published_sha256: str
    """Hash of the build that belongs to this version of the hub, in hex."""
    upgrade_authority: str | None
    slot: int | None
    """The slot of the last deployment or upgrade."""

    @property
    def matches(self) -> bool:
        """Whether the deployed code is the published build."""
        return self.sha256 == self.published_sha256


@dataclass(frozen=True)
class FirstAccount:
    """An account that a program needs before anybody can use the program; founding creates it."""

    program: str
    kind: str
    address: str
    founded: bool


@dataclass(frozen=True)
class ChainStatus:
    """The state of the programs and their first accounts on a chain."""

    url: str
    genesis_hash: str
    cluster: str
    slot: int
    programs: tuple[ProgramState, ...]
    accounts: tuple[FirstAccount, ...]

    @property
    def todo(self) -> list[str]:
        """What prevents settlement on this chain, each with what to do about it."""
        deploy = f"`peerwatt-hub chain deploy --url {self.url}`"
        todo = [f"{program.name} is not deployed: run {deploy}" for program in self.programs if not program.deployed]
        todo += [
            f"{program.name} is another build ({program.sha256}): upgrade it (its upgrade authority is "
            f"{program.upgrade_authority or 'nobody'}), or use the version of the hub that made this chain"
            for program in self.programs
            if program.deployed and not program.matches
        ]
        todo += [
            f"{account.program}.{account.kind} is not founded: run {deploy}"
            for account in self.accounts
            if not account.founded
        ]
        return todo

    def to_json(self) -> dict[str, Any]:
        """Returns the JSON object that `--json` prints."""
        programs = [{**asdict(program), "matches": program.matches} for program in self.programs]
        return {**asdict(self), "programs": programs, "ready": not self.todo, "todo": self.todo}


async def read_status(chain: ChainClient) -> ChainStatus:
    """Reads genesis, programs and first accounts.

    Raises:
        ChainUnreachableError, ChainRefusedError: the node does not answer or refuses.
    """
    genesis = str(await chain.genesis_hash())
    cluster = CLUSTERS.get(genesis, "private")
    programs = tuple(await program_states(chain))
    return ChainStatus(chain.url, genesis, cluster, await chain.slot(), programs, tuple(await _first_accounts(chain)))


async def program_states(chain: ChainClient) -> list[ProgramState]:
    """Reads the five programs as they are deployed; one after the other, because each is large."""
    return [await _program_state(chain, name) for name in NAMES]


async def _program_state(chain: ChainClient, name: str) -> ProgramState:
    address, data_address, published = PROGRAM_IDS[name], pdas.program_data(name), published_hash(name)
    program, data = await chain.raw_accounts([address, data_address])
    deployed = (
        loader.decode_program_data(data.data) if data is not None and loader.points_to(program, data_address) else None
    )
    if deployed is None:
        return ProgramState(name, str(address), deployed=False, sha256=None, published_sha256=published,
                            upgrade_authority=None, slot=None)  # fmt: skip
    authority = None if deployed.upgrade_authority is None else str(deployed.upgrade_authority)
    sha256 = loader.code_hash(deployed.code, program_binary(name))
    return ProgramState(name, str(address), deployed=True, sha256=sha256, published_sha256=published,
                        upgrade_authority=authority, slot=deployed.slot)  # fmt: skip


def first_accounts() -> list[tuple[str, str, Pubkey]]:
    """Returns program, kind and address of every account that founding creates."""
    return [
        ("governance", "Authority", pdas.governance_authority()),
        ("governance", "Params", pdas.governance_params()),
        ("governance", "Pause", pdas.governance_pause()),
        ("registry", "Config", pdas.registry_config()),
        ("oracle", "Config", pdas.oracle_config()),
        ("energy_token", "State", pdas.energy_state()),
        ("trading", "Market", pdas.market()),
    ]


async def _first_accounts(chain: ChainClient) -> list[FirstAccount]:
    expected = first_accounts()
    accounts = await chain.raw_accounts([address for _, _, address in expected])
    return [
        FirstAccount(program, kind, str(address), account is not None and account.owner == PROGRAM_IDS[program])
        for (program, kind, address), account in zip(expected, accounts, strict=True)
    ]
