"""Errors of the hub's command line: an exit code, one sentence that says what to do, no traceback."""

import asyncio
import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from hub.api.openapi import CHECKED_IN
from hub.cli import COMMANDS
from hub.devices.nats_identity import identity_folder
from hub.embedded.processes import free_port
from hub.keys import mark_as_demo
from hub.postgres.db import Pool
from support.commands import run_hub
from support.waiting import PATIENCE_S

HUB = Path(sys.executable).with_name("peerwatt-hub")


def write(folder: Path, text: str) -> Path:
    file = folder / "hub.toml"
    file.write_text(text)
    return file


CHAIN = ("chain deploy", "chain status")
GOOD = 'state_dir = "{folder}"\ndatabase_url = "postgresql://x:y@127.0.0.1:1/z"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("state_dir = \n", "is not TOML"),
        ("\xff", "is not TOML"),
        (GOOD + "colour = 1\n", "colour: Extra inputs are not permitted"),
        (GOOD + 'interval_s = "soon"\n', "interval_s: Input should be a valid integer"),
        (GOOD + "interval_s = 7\n", "interval_s: Input should be greater than or equal to 30"),
        ('state_dir = "{folder}"\n', "database_url: Field required"),
    ],
)
def test_a_broken_configuration_is_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "hub.toml"
    file.write_bytes(text.replace("{folder}", str(tmp_path)).encode("latin-1"))
    result = run_hub("worker", "--config", file)
    assert result.returncode == 78
    assert str(file) in result.stderr and message in result.stderr and "Correct" in result.stderr


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_keys_of_a_demo_are_refused_elsewhere(tmp_path: Path, command: str) -> None:
    (tmp_path / "keys").mkdir(mode=0o700)
    mark_as_demo(tmp_path / "keys")
    result = run_hub(command, "--config", write(tmp_path, GOOD.format(folder=tmp_path)))
    assert result.returncode == 78
    assert "made by `peerwatt-hub demo`" in result.stderr and "PEERWATT_HUB_STATE_DIR" in result.stderr


def test_a_configuration_that_is_not_there(tmp_path: Path) -> None:
    result = run_hub("serve", "--config", tmp_path / "none.toml")
    assert result.returncode == 78
    assert "There is no configuration file" in result.stderr and "PEERWATT_HUB_CONFIG" in result.stderr
    assert "name a file with --config" in run_hub("worker").stderr


def test_a_taken_port_is_named_with_its_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        file = write(tmp_path, GOOD.format(folder=tmp_path) + f"web_port = {port}\n")
        result = run_hub("serve", "--config", file)
    assert result.returncode == 78
    assert f"127.0.0.1:{port} (Address already in use)" in result.stderr
    assert "PEERWATT_HUB_WEB_PORT" in result.stderr


async def test_a_taken_metrics_port_is_named_with_its_setting(tmp_path: Path, db_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = f'state_dir = "{tmp_path}"\ndatabase_url = "{db_url}"\nmetrics_port = {port}\n'
        result = await asyncio.to_thread(run_hub, "worker", "--config", write(tmp_path, text))
    assert result.returncode == 78
    assert f"127.0.0.1:{port} (Address already in use)" in result.stderr
    assert "PEERWATT_HUB_METRICS_PORT" in result.stderr


async def test_without_a_certificate_no_device_port_is_open(tmp_path: Path, db_url: str) -> None:
    """A gateway would wait there for ever: its connection is refused, and the log says why."""
    tmp_path.chmod(0o700)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = f'state_dir = "{tmp_path}"\ndatabase_url = "{db_url}"\nweb_port = 0\ndevice_port = {port}\n'
        process = await asyncio.create_subprocess_exec(
            HUB, "serve", "--config", write(tmp_path, text),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)
        process.terminate()
        _, errors = await process.communicate()
    assert json.loads(line or b"{}").get("devices", "nothing was said") is None, errors
    assert b"gateways can not enrol here" in errors and b"PEERWATT_HUB_DEVICE_TLS_CERT" in errors


def test_an_unknown_gateway_gets_no_token(tmp_path: Path, db_url: str) -> None:
    file = write(tmp_path, f'state_dir = "{tmp_path}"\ndatabase_url = "{db_url}"\n')
    result = run_hub("token", "--config", file, "gw-nowhere")
    assert (result.returncode, result.stdout) == (1, "")
    assert "There is no gateway gw-nowhere: register it first, or check its spelling" in result.stderr
    answer = run_hub("token", "--config", file, "gw-nowhere", "--json")
    assert json.loads(answer.stdout)["error"] == "gateway_unknown"


TAKE_BACK = ("take-back", "2026-06-01T10:00:00Z", "--by", "Olga", "--reason", "The clock was ahead")


@pytest.mark.parametrize(
    "arguments", [("reconcile",), ("token", "gw-north"), ("trace", "00" * 32), ("serve",), TAKE_BACK]
)
def test_a_database_that_is_away_is_a_reason_to_try_again(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    text = GOOD.format(folder=tmp_path) + f"web_port = {free_port()}\ndevice_port = {free_port()}\n"
    result = run_hub(arguments[0], "--config", write(tmp_path, text), *arguments[1:])
    assert result.returncode == 75
    assert "PostgreSQL does not let us in" in result.stderr and "PEERWATT_HUB_DATABASE_URL" in result.stderr


WITHOUT_SCHEMA = [("worker",), ("serve",), ("reconcile",), ("token", "gw-north"), ("trace", "00" * 32), TAKE_BACK]


@pytest.mark.parametrize("arguments", WITHOUT_SCHEMA, ids=lambda arguments: arguments[0])
def test_a_database_without_our_schema_is_named_with_what_to_run(
    tmp_path: Path, pg_server: str, arguments: tuple[str, ...]
) -> None:
    """The server's own maintenance database has none of our tables."""
    text = f'state_dir = "{tmp_path}"\ndatabase_url = "{pg_server}"\nweb_port = {free_port()}\n'
    result = run_hub(arguments[0], "--config", write(tmp_path, text), *arguments[1:])
    assert result.returncode == 78
    assert "run `peerwatt-hub migrate`" in result.stderr


async def test_a_database_of_a_newer_hub_is_left_alone(tmp_path: Path, pool: Pool, db_url: str) -> None:
    await pool.execute("INSERT INTO schema_migrations VALUES ('9999')")
    file = write(tmp_path, f'state_dir = "{tmp_path}"\ndatabase_url = "{db_url}"\n')
    result = await asyncio.to_thread(run_hub, "worker", "--config", file)
    assert result.returncode == 78
    assert "migration 9999" in result.stderr and "install the newer version" in result.stderr


def test_a_wrong_database_password_is_said_without_the_password(tmp_path: Path, db_url: str) -> None:
    wrong = re.sub(r"://peerwatt:[^@]*@", "://peerwatt:not-this-one@", db_url)
    file = write(tmp_path, f'state_dir = "{tmp_path}"\ndatabase_url = "{wrong}"\n')
    result = run_hub("reconcile", "--config", file)
    assert result.returncode == 75
    assert "password authentication failed" in result.stderr and "not-this-one" not in result.stderr


def test_doctor_names_each_fault_of_a_broken_installation(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    file = write(tmp_path, GOOD.format(folder=tmp_path) + f'rpc_url = "http://127.0.0.1:{free_port()}"\n')
    result = run_hub("doctor", "--config", file, "--json")
    assert result.returncode == 3
    problems = {finding["name"]: finding["problem"] for finding in json.loads(result.stdout)["findings"]}
    assert set(problems) == {
        "state", "keys", "database", "nats", "chain", "nodes", "clock", "market", "intervals", "aborts"
    }  # fmt: skip
    assert f"chmod 700 {tmp_path}" in problems["state"]
    assert "There is no key" in problems["keys"]
    assert "PEERWATT_HUB_DATABASE_URL" in problems["database"]
    assert "PEERWATT_HUB_NATS_CA_FILE" in problems["nats"]
    assert "does not answer" in problems["chain"]
    assert "does not serve" in problems["nodes"]
    assert "PEERWATT_HUB_DATABASE_URL" in problems["clock"]
    assert "PEERWATT_HUB_DATABASE_URL" in problems["intervals"]
    plain = run_hub("doctor", "--config", file)
    assert plain.returncode == 3 and plain.stdout.count("WRONG") == 10


def test_doctor_names_a_schema_that_is_too_old(tmp_path: Path, pg_server: str) -> None:
    """The server's own maintenance database has none of our tables."""
    file = write(tmp_path, f'state_dir = "{tmp_path}"\ndatabase_url = "{pg_server}"\n')
    result = run_hub("doctor", "--config", file, "--json")
    problems = {finding["name"]: finding["problem"] for finding in json.loads(result.stdout)["findings"]}
    assert "run `peerwatt-hub migrate`" in problems["database"]


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "fee_payer.json").write_text("[]")
    (keys / "fee_payer.json").chmod(0o644)
    result = run_hub("doctor", "--config", write(tmp_path, GOOD.format(folder=tmp_path)))
    assert "chmod 600" in result.stdout and "fee_payer.json" in result.stdout
    assert not identity_folder(tmp_path).exists(), "doctor looks, and makes nothing"


@pytest.mark.parametrize("command", sorted({*COMMANDS, *CHAIN} - {"chain"}))
def test_help_shows_the_environment_twin_of_every_flag(command: str) -> None:
    result = run_hub(*command.split(), "--help")
    assert result.returncode == 0
    text = " ".join(result.stdout.split())
    options = text.partition("options:")[2]
    flags = re.split(r" (?=--[a-z])", options)[1:]
    flags = [flag for flag in flags if flag.startswith("--") and not flag.startswith("--help")]
    without = [flag for flag in flags if not re.search(r"\(env: PEERWATT_[A-Z_]+", flag)]
    assert not without, without
    assert flags


def test_a_twin_that_is_no_number_is_a_usage_error() -> None:
    for name, flag in (("PEERWATT_HUB_INTERVAL_S", "--interval"), ("PEERWATT_HUB_WEB_PORT", "--port")):
        result = run_hub("demo", env={name: "soon"})
        assert result.returncode == 2
        assert f"argument {flag}: invalid int value: 'soon'" in result.stderr


def test_help_lists_every_command_and_an_unknown_one_is_refused() -> None:
    result = run_hub("--help")
    assert all(f"\n    {command} " in result.stdout or f"\n    {command}\n" in result.stdout for command in COMMANDS)
    unknown = run_hub("dmeo")
    assert unknown.returncode == 2 and "invalid choice: 'dmeo'" in unknown.stderr and "demo" in unknown.stderr


def test_a_full_disk_under_a_command_is_one_sentence(tmp_path: Path) -> None:
    """/dev/full refuses every byte, as a full disk does."""
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [HUB, "openapi"], stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60
        )
    assert result.returncode != 0
    assert "No space left on device" in result.stderr and "Traceback" not in result.stderr
    assert CHECKED_IN.stat().st_size > 0


def test_a_node_that_is_named_twice_is_no_quorum(tmp_path: Path) -> None:
    urls = 'rpc_url = "http://127.0.0.1:1"\nmore_rpc_urls = ["http://127.0.0.1:2", "http://127.0.0.1:1"]\n'
    result = run_hub("doctor", "--config", write(tmp_path, GOOD.format(folder=tmp_path) + urls))
    assert result.returncode == 78 and "names a node twice" in result.stderr
