"""`peerwatt-hub chain deploy`: killed in the middle and run again, and the chains and keys that it refuses."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from hub.chain import deployment, loader, pdas, status
from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.chain.deployment import LoaderClosedError, deploy_programs
from hub.chain.programs import NAMES, PROGRAM_IDS, program_binary, program_key, published_hash
from hub.chain.setup import ProgramsDifferError
from hub.cli import EXIT_CONFIG
from hub.keys import mark_as_demo
from hub.ledger.genesis import Genesis, write_genesis
from support.commands import run_hub
from support.servers.ledger import RICH_LAMPORTS, LedgerProcess, running_ledger
from support.waiting import PATIENCE_S

NOT_READY = 3
SOL = 10**9


@pytest.fixture
def keys_dir(tmp_path: Path) -> Path:
    Bootstrap.load_or_create(tmp_path / "keys")
    return tmp_path / "keys"


@pytest.fixture
def empty(tmp_path: Path, keys_dir: Path) -> Iterator[LedgerProcess]:
    """A chain without programs; our fee payer has money."""
    keys = Bootstrap.load_or_create(keys_dir)
    with _started(tmp_path / "ledger", _without_programs({keys.fee_payer.pubkey(): RICH_LAMPORTS})) as process:
        yield process


def _without_programs(funded: dict[Pubkey, int]) -> Genesis:
    return Genesis(Keypair().pubkey(), funded, programs=False)


@contextmanager
def _started(folder: Path, genesis: Genesis) -> Iterator[LedgerProcess]:
    write_genesis(folder, genesis)
    process = LedgerProcess(folder, Keypair())
    process.start()
    try:
        yield process
    finally:
        process.kill()


def _command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "hub.cli", "chain", *map(str, words)]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PEERWATT_")}


def chain_command(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return run_hub("chain", *words, seconds=300)


DEPLOY_TWO = """
import asyncio, sys
from pathlib import Path
from hub.chain import status
from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.chain.deployment import deploy_programs

async def main(url, keys):
    status.NAMES = ["registry", "oracle"]
    async with ChainClient(url) as chain:
        await deploy_programs(chain, Bootstrap.load_or_create(Path(keys)), lambda line: print(line, file=sys.stderr))

asyncio.run(main(*sys.argv[1:]))
"""
"""What `chain deploy` does before it founds the accounts, with two of the five programs."""


def test_a_deployment_that_is_killed_goes_on_where_it_was(empty: LedgerProcess, keys_dir: Path) -> None:
    again = _killed_and_run_again(lambda: [sys.executable, "-c", DEPLOY_TWO, empty.url, str(keys_dir)], empty, keys_dir)
    assert again.stderr.count("deployed at") == 1
    status_after = json.loads(chain_command("status", "--url", empty.url, "--json").stdout)
    deployed = {program["name"] for program in status_after["programs"] if program["deployed"]}
    assert (deployed, len(status_after["todo"])) == ({"registry", "oracle"}, 10)


@pytest.mark.slow
def test_the_command_that_is_killed_deploys_and_founds_all_the_same(empty: LedgerProcess, keys_dir: Path) -> None:
    """All five programs: a minute of processor time, which `make test-crash` takes."""
    before = chain_command("status", "--url", empty.url, "--json")
    assert before.returncode == NOT_READY
    todo = json.loads(before.stdout)["todo"]
    assert len(todo) == 12
    assert f"run `peerwatt-hub chain deploy --url {empty.url}`" in todo[0]
    again = _killed_and_run_again(
        lambda: _command("deploy", "--url", empty.url, "--keys", keys_dir, "--json"), empty, keys_dir
    )
    assert again.stderr.count("deployed at") == len(NAMES) - 1
    assert again.stderr.count("founded") == 7
    status_after = json.loads(again.stdout)
    assert (status_after["ready"], status_after["todo"], status_after["cluster"]) == (True, [], "private")
    authority = str(pdas.governance_upgrader())
    assert {
        (program["name"], program["sha256"], program["upgrade_authority"]) for program in status_after["programs"]
    } == {(name, published_hash(name), authority) for name in NAMES}

    third = chain_command("deploy", "--url", empty.url, "--keys", keys_dir)
    assert (third.returncode, third.stderr) == (0, "")
    assert "ready: every program is the published one and founded" in third.stdout


def _killed_and_run_again(
    command: Callable[[], list[str]], empty: LedgerProcess, keys_dir: Path
) -> subprocess.CompletedProcess[str]:
    """Kills the deployment and the ledger while the second program is written; returns how the next run ended.

    ``command`` is asked again after the kill, because the ledger is at another address then.
    """
    with subprocess.Popen(
        command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=_environment()
    ) as first:
        assert first.stderr is not None
        progress = [first.stderr.readline() for _ in range(3)]
        asyncio.run(_wait_for_code(empty.url, Bootstrap.load_or_create(keys_dir), "oracle"))
        first.kill()
    assert "registry: deployed at" in progress[1], progress
    assert progress[2].startswith("oracle: ")

    # a ledger that is opened again has the same features
    empty.kill()
    empty.start()
    again = subprocess.run(command(), capture_output=True, text=True, check=False, timeout=300, env=_environment())
    assert again.returncode == 0, again.stderr
    assert "registry: deployed" not in again.stderr
    chunks_left, chunks = re.findall(r"oracle: (\d+) of (\d+) parts", again.stderr)[0]
    assert int(chunks_left) < int(chunks), "what was written before is not written again"
    return again


async def _wait_for_code(url: str, keys: Bootstrap, name: str) -> None:
    """Waits until some of a program's code is in its buffer."""
    buffer = deployment._buffer_key(keys, name).pubkey()
    async with ChainClient(url) as chain, asyncio.timeout(PATIENCE_S):
        while True:
            (account,) = await chain.raw_accounts([buffer])
            if account is not None and any(account.data[loader.BUFFER_HEADER :]):
                return
            await asyncio.sleep(0.02)


def test_an_empty_fee_payer_deploys_nothing(tmp_path: Path, keys_dir: Path) -> None:
    payer = Bootstrap.load_or_create(keys_dir).fee_payer.pubkey()
    with _started(tmp_path / "ledger", _without_programs({payer: SOL})) as process:
        completed = chain_command("deploy", "--url", process.url, "--keys", keys_dir)
        assert completed.returncode == EXIT_CONFIG
        assert f"The fee payer {payer} has {SOL} lamports" in completed.stderr
        assert "SOL. Nothing was sent" in completed.stderr
        assert chain_command("status", "--url", process.url).returncode == NOT_READY


def test_the_demos_keys_deploy_nothing(tmp_path: Path) -> None:
    keys = tmp_path / "demo"
    Bootstrap.load_or_create(keys)
    mark_as_demo(keys)
    completed = chain_command("deploy", "--url", "http://127.0.0.1:1", "--keys", keys)
    assert completed.returncode == EXIT_CONFIG
    assert "made by `peerwatt-hub demo`" in completed.stderr


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("settler.json", "the settler on"),
        ("currency_mint.json", "the currency on"),
        ("attestor.json", "the attestor on"),
        ("registrar.json", "the registrar on"),
        ("rec_validator.json", "the REC validator on"),
    ],
)
def test_other_keys_than_the_founders_are_refused(
    founded: tuple[LedgerProcess, Path], tmp_path: Path, file: str, says: str
) -> None:
    process, folder = founded
    other_keys = copytree(folder, tmp_path / "other")
    (other_keys / file).unlink()
    completed = chain_command("deploy", "--url", process.url, "--keys", other_keys)
    assert completed.returncode == EXIT_CONFIG
    assert says in completed.stderr


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LedgerProcess, Path]]:
    """A chain with programs from its first start, founded by the command."""
    folder = tmp_path_factory.mktemp("founded")
    keys = Bootstrap.load_or_create(folder / "keys")
    with running_ledger(folder / "ledger", keys) as ledger:
        completed = chain_command("deploy", "--url", ledger.url, "--keys", folder / "keys")
        assert completed.returncode == 0, completed.stderr
        yield ledger, folder / "keys"


async def test_what_was_deployed_follows_from_the_log(
    empty: LedgerProcess, keys_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the same features, whoever runs it again; one small program, for it is long otherwise."""
    monkeypatch.setattr(deployment, "program_binary", lambda _: program_binary("arith"))
    monkeypatch.setattr(status, "NAMES", ["oracle"])
    async with ChainClient(empty.url) as chain:
        assert await deploy_programs(chain, Bootstrap.load_or_create(keys_dir), lambda _: None) == ["oracle"]
    empty.verify()


async def test_a_runtime_that_takes_no_new_programs_is_named(
    tmp_path: Path, keys_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an embedded ledger is that began with every feature on: buffers are written, the deployment is refused."""
    keys = Bootstrap.load_or_create(keys_dir)
    old = replace(_without_programs({keys.fee_payer.pubkey(): RICH_LAMPORTS}), features_off=())
    monkeypatch.setattr(deployment, "program_binary", lambda _: program_binary("arith"))
    with _started(tmp_path / "ledger", old) as process:
        async with ChainClient(process.url) as chain:
            with pytest.raises(LoaderClosedError, match="SIMD-0167"):
                await deploy_programs(chain, keys, lambda _: None)
        process.verify()


async def test_another_build_is_named_and_not_deployed_over(
    founded: tuple[LedgerProcess, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    process, folder = founded
    monkeypatch.setattr(status, "published_hash", lambda name: "00" * 32 if name == "oracle" else published_hash(name))
    async with ChainClient(process.url) as chain:
        chain_status = await status.read_status(chain)
        with pytest.raises(ProgramsDifferError, match="another build of oracle"):
            await deploy_programs(chain, Bootstrap.load_or_create(folder), lambda _: None)
    assert len(chain_status.todo) == 1
    assert "oracle is another build" in chain_status.todo[0] and published_hash("oracle") in chain_status.todo[0]


def test_a_file_that_is_no_key_is_named(keys_dir: Path) -> None:
    (keys_dir / "settler.json").write_text("[1, 2, 3]")
    completed = chain_command("deploy", "--url", "http://127.0.0.1:1", "--keys", keys_dir)
    assert completed.returncode == EXIT_CONFIG
    assert "settler.json is no key" in completed.stderr


def test_the_loaders_accounts_are_read() -> None:
    program, authority = PROGRAM_IDS["oracle"], Keypair().pubkey()
    header = (3).to_bytes(4, "little") + (77).to_bytes(8, "little")
    decoded = loader.decode_program_data(header + b"\1" + bytes(authority) + b"code\0\0")
    assert decoded == loader.ProgramData(77, authority, b"code\0\0")
    final = loader.decode_program_data(header + b"\0" + bytes(32) + b"code")
    assert final is not None
    assert final.upgrade_authority is None
    assert loader.decode_program_data(b"\2" + bytes(60)) is None
    assert loader.decode_program_data(b"") is None
    code = program_binary("oracle")
    assert loader.code_hash(code + bytes(100), code) == published_hash("oracle")
    assert loader.code_hash(code[:-1] + b"\7", code) != published_hash("oracle")
    assert program_key("oracle").pubkey() == program
    assert pdas.program_data("oracle") != program
