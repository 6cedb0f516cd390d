"""What `peerwatt-hub chain` says of a chain: each program and first account, and what is to be done."""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import pytest
from solders.hash import Hash

from hub.chain import command, status
from hub.chain.instructions.governance import Rates
from hub.chain.programs import NAMES, PROGRAM_IDS
from hub.chain.status import ChainStatus, FirstAccount, ProgramState, first_accounts, read_status
from support.programs.svm import pda

URL = "http://node"
GOOD = ProgramState("trading", "T", deployed=True, sha256="aa", published_sha256="aa", upgrade_authority="U", slot=3)
FOUNDED = FirstAccount("trading", "Market", "M", founded=True)
READY = ChainStatus(URL, "G", "private", 7, (GOOD,), (FOUNDED,))
MISSING = replace(GOOD, deployed=False, sha256=None, upgrade_authority=None, slot=None)
DEPLOY = "`peerwatt-hub chain deploy --url http://node`"


def todo(program: ProgramState = GOOD, account: FirstAccount = FOUNDED) -> list[str]:
    return replace(READY, programs=(program,), accounts=(account,)).todo


def test_what_is_to_be_done_is_said() -> None:
    assert todo() == []
    assert todo(MISSING) == [f"trading is not deployed: run {DEPLOY}"]
    assert todo(replace(GOOD, sha256="bb")) == [
        (
            "trading is another build (bb): upgrade it (its upgrade authority is U), or use the version of the hub "
            "that made this chain"
        )
    ]
    assert "authority is nobody" in todo(replace(GOOD, sha256="bb", upgrade_authority=None))[0]
    assert todo(account=replace(FOUNDED, founded=False)) == [f"trading.Market is not founded: run {DEPLOY}"]


def test_the_state_as_json() -> None:
    document = READY.to_json()
    assert (document["ready"], document["todo"], document["slot"], document["cluster"]) == (True, [], 7, "private")
    assert document["programs"] == [
        {"name": "trading", "address": "T", "deployed": True, "sha256": "aa", "published_sha256": "aa",
         "upgrade_authority": "U", "slot": 3, "matches": True}
    ]  # fmt: skip
    assert list(document["accounts"]) == [{"program": "trading", "kind": "Market", "address": "M", "founded": True}]
    bad = replace(READY, programs=(MISSING,)).to_json()
    assert (bad["ready"], len(bad["todo"]), bad["programs"][0]["matches"]) == (False, 1, False)


def test_the_state_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    other = replace(GOOD, name="oracle", sha256="bb", upgrade_authority=None)
    gone = replace(MISSING, name="registry")
    command._print(replace(READY, programs=(GOOD, other, gone), accounts=(FOUNDED, replace(FOUNDED, founded=False))))
    lines = capsys.readouterr().out.splitlines()
    assert lines[:8] == [
        "http://node: private chain, genesis G, slot 7",
        "ok      trading      T",
        "        sha256 aa, upgrade authority U",
        "DIFFERS oracle       T",
        "        sha256 bb, upgrade authority nobody",
        "MISSING registry     T",
        "founded trading.Market M",
        "MISSING trading.Market M",
    ]
    assert len(lines) == 11
    command._print(READY)
    assert capsys.readouterr().out.splitlines()[-1] == "ready: every program is the published one and founded"


class Chain:
    """A chain with this genesis on which every program's accounts belong to these owners."""

    url = URL

    def __init__(self, genesis: str, owners: dict[str, Any]) -> None:
        self.genesis, self.owners = Hash.from_string(genesis), owners

    async def genesis_hash(self) -> Hash:
        return self.genesis

    async def slot(self) -> int:
        return 9

    async def raw_accounts(self, addresses: list[Any]) -> list[Any]:
        if len(addresses) == 2:
            return [None, None]
        programs = [program for program, _, _ in first_accounts()]
        return [self.owners.get(program) and SimpleNamespace(owner=self.owners[program]) for program in programs]


@pytest.mark.parametrize(
    ("genesis", "cluster"),
    [
        ("5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d", "mainnet-beta"),
        ("EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG", "devnet"),
        ("11111111111111111111111111111111", "private"),
    ],
)
async def test_accounts_are_founded_when_their_program_owns_them(genesis: str, cluster: str) -> None:
    owners = {"trading": PROGRAM_IDS["trading"], "oracle": PROGRAM_IDS["trading"]}
    chain: Any = Chain(genesis, owners)
    read = await read_status(chain)
    assert (read.url, read.genesis_hash, read.cluster, read.slot) == (URL, genesis, cluster, 9)
    assert [(program.name, program.deployed, program.slot) for program in read.programs] == [
        (name, False, None) for name in NAMES
    ]
    assert [account.program for account in read.accounts if account.founded] == ["trading"]
    assert [account.address for account in read.accounts] == [str(address) for _, _, address in first_accounts()]


def test_each_program_has_its_first_accounts() -> None:
    assert first_accounts() == [
        ("governance", "Authority", pda("governance", b"authority")),
        ("governance", "Params", pda("governance", b"params")),
        ("governance", "Pause", pda("governance", b"pause")),
        ("registry", "Config", pda("registry", b"config")),
        ("oracle", "Config", pda("oracle", b"config")),
        ("energy_token", "State", pda("energy_token", b"state")),
        ("trading", "Market", pda("trading", b"market")),
    ]


# The command ---------------------------------------------------------------------------------------------------------


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(words)


NUMBERS = {
    "interval_s": 900, "wheeling_mills": 100, "platform_mills": 25, "loss_mills": 5, "export_tariff_mills": 2200,
    "import_tariff_mills": 5000,
}  # fmt: skip


def test_a_deployment_has_flags_with_defaults_and_environment_twins(monkeypatch: pytest.MonkeyPatch) -> None:
    args = parse("deploy", "--url", URL, "--keys", "k")
    assert {name: getattr(args, name) for name in NUMBERS} == NUMBERS
    assert (args.action, args.url, args.keys, args.json) == ("deploy", URL, Path("k"), False)
    words = [word for number, name in enumerate(NUMBERS) for word in (f"--{name.replace('_', '-')}", str(number))]
    given = parse("deploy", "--url", URL, "--keys", "k", "--json", *words)
    assert [getattr(given, name) for name in NUMBERS] == list(range(6)) and given.json
    monkeypatch.setenv("PEERWATT_CHAIN_URL", URL)
    monkeypatch.setenv("PEERWATT_CHAIN_KEYS", "k")
    for number, name in enumerate(NUMBERS):
        monkeypatch.setenv(f"PEERWATT_CHAIN_{name.upper()}", str(number))
    args = parse("deploy")
    assert (args.url, args.keys) == (URL, Path("k")) and [getattr(args, name) for name in NUMBERS] == list(range(6))
    assert parse("status").url == URL


@pytest.mark.parametrize("words", [("status",), ("deploy", "--url", URL), ("deploy", "--keys", "k"), ()])
def test_node_and_keys_must_be_named(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("URL", "KEYS"):
        monkeypatch.delenv(f"PEERWATT_CHAIN_{name}", raising=False)
    with pytest.raises(SystemExit) as refused:
        parse(*words)
    assert refused.value.code == 2 and "required" in capsys.readouterr().err


def test_the_status_is_printed_and_is_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Any] = []

    class Client:
        def __init__(self, url: str, timeout_s: float) -> None:
            asked.append((url, timeout_s))

        async def __aenter__(self) -> Self:
            return self

        async def __aexit__(self, *_: object) -> None: ...

    found = READY

    async def read(_: Client) -> ChainStatus:
        return found

    monkeypatch.setattr(command, "ChainClient", Client)
    monkeypatch.setattr(command, "read_status", read)
    assert command.run(parse("status", "--url", URL)) == 0
    assert "ready: " in capsys.readouterr().out
    found = replace(READY, programs=(MISSING,))
    assert command.run(parse("status", "--url", URL, "--json")) == 3
    assert json.loads(capsys.readouterr().out)["ready"] is False
    assert asked == [(URL, 30)] * 2


async def test_founding_gets_the_rates_and_the_interval(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    did: list[Any] = []
    unfounded = replace(READY, accounts=(replace(FOUNDED, founded=False),))
    statuses = [unfounded, READY]

    def step(name: str, result: Any = None) -> Any:
        async def done(*arguments: Any, **options: Any) -> Any:
            did.append((name, options or arguments[2:]))
            return result

        return done

    async def read(_: object) -> ChainStatus:
        return statuses.pop(0)

    for name, result in (("check_founding_keys", None), ("deploy_programs", []), ("require_funds", None)):
        monkeypatch.setattr(command, name, step(name, result))
    monkeypatch.setattr("hub.chain.setup.ensure_genesis", step("ensure_genesis", ["currency"]))
    monkeypatch.setattr(command, "read_status", read)
    args = parse("deploy", "--url", URL, "--keys", str(tmp_path), "--interval-s", "60", "--loss-mills", "6")
    assert await command._deploy(args) == READY
    assert [name for name, _ in did] == ["check_founding_keys", "deploy_programs", "require_funds", "ensure_genesis"]
    assert did[2][1] == (100_000_000, "the first accounts")
    assert did[3][1] == {"rates": Rates(0, 100, 25, 6, 2200, 5000), "interval_s": 60}
    did.clear()
    statuses[:] = [READY, READY]
    await command._deploy(args)
    assert [name for name, _ in did] == ["check_founding_keys", "deploy_programs"], "nothing is founded twice"


def test_the_clusters_are_solanas() -> None:
    assert len(status.CLUSTERS) == 2
