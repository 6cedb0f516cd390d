"""What a chain runs: its genesis, the five programs compared with the published hashes, and their first accounts.

Comes from any RPC node, with public data only; goes to `peerwatt-hub chain status` and the explorer.
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
"""Genesis hashes of Solana's public clusters; every other chain is private."""


@dataclass(frozen=True)
class ProgramState:
    """One of the five programs as a chain has it."""

    name: str
    address: str
    deployed: bool
    sha256: str | None
    """Of what is deployed."""
    published_sha256: str
    """Of what belongs to this version of the hub."""
    upgrade_authority: str | None
    slot: int | None
    """When it was deployed or upgraded last."""

    @property
    def matches(self) -> bool:
        return self.sha256 == self.published_sha256


@dataclass(frozen=True)
class FirstAccount:
    """An account that a program needs before anybody can use it."""

    program: str
    kind: str
    address: str
    founded: bool


@dataclass(frozen=True)
class ChainStatus:
    """Everything that was looked at, and what is left to do."""

    url: str
    genesis_hash: str
    cluster: str
    slot: int
    programs: tuple[ProgramState, ...]
    accounts: tuple[FirstAccount, ...]

    @property
    def todo(self) -> list[str]:
        """What stands between this chain and settlement, each with what to do."""
        deploy = f"`peerwatt-hub chain deploy --url {self.url}`"
        said = [f"{one.name} is not deployed: run {deploy}" for one in self.programs if not one.deployed]
        said += [
            f"{one.name} is another build ({one.sha256}): upgrade it (its upgrade authority is "
            f"{one.upgrade_authority or 'nobody'}), or use the version of the hub that made this chain"
            for one in self.programs
            if one.deployed and not one.matches
        ]
        said += [f"{one.program}.{one.kind} is not founded: run {deploy}" for one in self.accounts if not one.founded]
        return said

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        programs = [{**asdict(one), "matches": one.matches} for one in self.programs]
        return {**asdict(self), "programs": programs, "ready": not self.todo, "todo": self.todo}


async def read_status(chain: ChainClient) -> ChainStatus:
    """Looks at everything.

    Raises:
        ChainUnreachableError, ChainRefusedError: the node does not tell.
    """
    genesis = str(await chain.genesis_hash())
    cluster = CLUSTERS.get(genesis, "private")
    programs = tuple(await program_states(chain))
    return ChainStatus(chain.url, genesis, cluster, await chain.slot(), programs, tuple(await _first_accounts(chain)))


async def program_states(chain: ChainClient) -> list[ProgramState]:
    """The five programs as they are deployed; one by one, because each is large."""
    return [await _program_state(chain, name) for name in NAMES]


async def _program_state(chain: ChainClient, name: str) -> ProgramState:
    address, data_address, published = PROGRAM_IDS[name], pdas.program_data(name), published_hash(name)
    program, data = await chain.raw_accounts([address, data_address])
    deployed = loader.read_deployed(data.data) if data is not None and loader.runs(program, data_address) else None
    if deployed is None:
        return ProgramState(name, str(address), deployed=False, sha256=None, published_sha256=published,
                            upgrade_authority=None, slot=None)  # fmt: skip
    authority = None if deployed.upgrade_authority is None else str(deployed.upgrade_authority)
    found = loader.code_hash(deployed.code, program_binary(name))
    return ProgramState(name, str(address), deployed=True, sha256=found, published_sha256=published,
                        upgrade_authority=authority, slot=deployed.slot)  # fmt: skip


def first_accounts() -> list[tuple[str, str, Pubkey]]:
    """Program, kind and address of what founding makes."""
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
    wanted = first_accounts()
    found = await chain.raw_accounts([address for _, _, address in wanted])
    return [
        FirstAccount(program, kind, str(address), account is not None and account.owner == PROGRAM_IDS[program])
        for (program, kind, address), account in zip(wanted, found, strict=True)
    ]
