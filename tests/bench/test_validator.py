"""`make validator` without a validator: its campus on the embedded ledger, what it reads, writes and refuses."""

import json
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from solders.keypair import Keypair

from bench.validator import StageError, node
from bench.validator.campus import settle_campus
from bench.validator.compute_units import Row, calls, compare
from bench.validator.node import PORTS, free_ports, running_validator
from bench.validator.page import BEGIN, END, STAGES, replace_figures
from bench.validator.suites import SUITES, read_report
from hub.chain.bootstrap import Bootstrap
from hub.chain.programs import PROGRAM_IDS
from support.programs.measure import all_measures
from support.servers.ledger import running_ledger

ROOT = Path(__file__).resolve().parents[2]
ORACLE, TRADING = str(PROGRAM_IDS["oracle"]), str(PROGRAM_IDS["trading"])


async def test_a_campus_is_settled_and_every_call_is_counted(tmp_path: Path) -> None:
    keys = Bootstrap.random()
    with running_ledger(tmp_path / "ledger", keys) as ledger:
        campus_run = await settle_campus(ledger.url, keys, 4, tmp_path / "postgres")
    assert campus_run.lines == 4
    assert campus_run.seconds.keys() <= STAGES.keys()
    counts = {name: len(values) for name, values in campus_run.compute_units.items()}
    assert counts == {
        "governance.initialize": 1, "registry.initialize": 1, "oracle.initialize": 1, "energy_token.initialize": 1,
        "trading.initialize": 1, "registry.register_participant": 4, "trading.open_account": 4, "trading.deposit": 4,
        "trading.set_mandate": 4, "oracle.attest": 2, "energy_token.mint_interval": 2, "trading.open": 1,
        "trading.settle": 1, "trading.close": 1, "trading.close_empty": 1,
    }  # fmt: skip
    # as the virtual machine measures the same instruction, without the search for the interval's address
    (opened,) = [one for one in all_measures() if (one.program, one.instruction) == ("trading", "open")]
    assert abs(campus_run.compute_units["trading.open"][0] - opened.work_cu) < opened.work_cu // 20


def test_calls_are_those_that_the_transaction_names() -> None:
    logs = [
        "Program ComputeBudget111111111111111111111111111111 invoke [1]",
        "Program ComputeBudget111111111111111111111111111111 success",
        f"Program {TRADING} invoke [1]",
        "Program log: Instruction: CloseEmpty",
        f"Program {ORACLE} invoke [2]",
        "Program log: Instruction: Look",
        f"Program {ORACLE} consumed 70 of 900 compute units",
        f"Program {ORACLE} success",
        f"Program {TRADING} consumed 100 of 1000 compute units",
        f"Program {TRADING} success",
        f"Program {ORACLE} invoke [1]",
        "Program log: Instruction: Attest",
        f"Program {ORACLE} consumed 30 of 900 compute units",
        f"Program {ORACLE} success",
    ]
    assert list(calls(logs)) == [("trading.close_empty", 100), ("oracle.attest", 30)]


def test_an_instruction_that_one_chain_alone_has_seen_is_a_difference() -> None:
    rows = compare({"a.x": [1, 2], "a.y": [3]}, {"a.x": [1, 2]})
    assert rows == [Row("a.x", (1, 2), (1, 2)), Row("a.y", (3,), ())]
    assert [row.same for row in rows] == [True, False]


def test_figures_take_the_place_of_those_before() -> None:
    found = {
        "measured_at": "2026-11-26T00:00:00Z", "machine": {"cpu": "CPU", "cores": 2, "litesvm": "VM", "commit": "abc"},
        "others_busy_cores": 0.5, "validator": "Agave 3.0.0", "people": 24, "lines": 20,
        "seconds": {"validator": {"deploy": 61.23, "settle": 17.0}, "ledger": {"settle": 0.9}},
        "suites": {"conformance": {"passed": 7, "failed": ["test_x"], "seconds": 3.0}},
        "compute_units": [
            {"instruction": "trading.open", "ledger_cu": [10_500], "validator_cu": [10_500]},
            {"instruction": "trading.settle", "ledger_cu": [7, 9], "validator_cu": [7, 8]},
        ],
    }  # fmt: skip
    page = replace_figures(f"before\n\n{BEGIN}\n\nold\n\n{END}\n\nafter\n", found)
    assert page.startswith(f"before\n\n{BEGIN}\n\n2026-11-26T00:00:00Z, CPU, 2 cores")
    assert page.endswith(f"\n\n{END}\n\nafter\n") and "old" not in page
    assert "| conformance | 7 | test_x |" in page
    assert "closed | 17.0 | 0.9 |" in page and "`chain deploy` | 61.2 |  |" in page
    assert "| trading.open | 1 | 10,500 | 10,500 | same |" in page
    assert "| trading.settle | 2 | 7 - 8 | 7 - 9 | **differs** |" in page
    assert replace_figures(page, found) == page


def test_a_report_without_tests_is_a_failure() -> None:
    assert read_report("<testsuites><testsuite/></testsuites>", 1.0).failed == ("no test was selected",)
    one = '<testcase classname="c" name="{}">{}</testcase>'
    text = one.format("good", "") + one.format("bad", "<failure/>") + one.format("left", "<skipped/>")
    outcome = read_report(f"<testsuites><testsuite>{text}</testsuite></testsuites>", 1.0)
    assert (outcome.passed, outcome.failed) == (1, ("c.bad", "c.left"))


def test_every_suite_names_files_that_are_there() -> None:
    for patterns in SUITES.values():
        assert all(list(ROOT.glob(pattern)) for pattern in patterns)


def test_ports_in_a_row_are_free() -> None:
    first = free_ports(PORTS)
    with socket.socket() as one:
        one.bind(("127.0.0.1", first + 1))
        assert not node._is_free(first + 1)
    assert node._is_free(first + 1)


def test_a_validator_that_ends_is_quoted(tmp_path: Path) -> None:
    program = tmp_path / "solana-test-validator"
    program.write_text('#!/bin/sh\necho "Error: no room for $1"\nexit 7\n')
    program.chmod(0o755)
    with (
        pytest.raises(StageError, match=r"its exit code: 7\):\nError: no room for --quiet"),
        running_validator(program, tmp_path, Keypair().pubkey()),
    ):
        pass


def build(tools: Path, path: Path) -> subprocess.CompletedProcess[str]:
    """The builder on a machine that has these programs alone."""
    return subprocess.run(
        [str(ROOT / "bench/validator/build")], capture_output=True, text=True, check=False, timeout=60,
        env={"PATH": str(path), "VALIDATOR_TOOLS": str(tools), "HOME": str(path)},
    )  # fmt: skip


def programs(folder: Path, **scripts: str) -> Path:
    folder.mkdir()
    for name in ("grep", "mkdir"):
        (folder / name).symlink_to(shutil.which(name) or name)
    for name, body in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    return folder


def test_what_the_builder_lacks_is_named(tmp_path: Path) -> None:
    bare = build(tmp_path / "tools", programs(tmp_path / "bare"))
    assert (bare.returncode, bare.stdout) == (1, "")
    assert "cargo is missing: install Rust with rustup" in bare.stderr
    fakes = {
        "cargo": "exit 9",
        "dpkg-query": 'case "$*" in *clang) exit 1 ;; *) echo installed ;; esac',
        "id": "echo 1000",
    }
    done = build(tmp_path / "tools", programs(tmp_path / "some", **fakes))
    assert (done.returncode, done.stdout) == (1, "")
    assert "run as root once, or install: clang\n" in done.stderr


def test_a_validator_that_is_there_is_not_built(tmp_path: Path) -> None:
    program = tmp_path / "tools/bin/solana-test-validator"
    program.parent.mkdir(parents=True)
    program.write_text("")
    program.chmod(0o755)
    done = build(tmp_path / "tools", programs(tmp_path / "bare"))
    assert (done.returncode, done.stdout) == (0, f"{program}\n")


def test_the_committed_figures_are_those_of_the_page() -> None:
    page = (ROOT / "docs/validator.md").read_text()
    newest = max((ROOT / "docs/figures").glob("validator-*.json"))
    assert replace_figures(page, json.loads(newest.read_text())) == page
