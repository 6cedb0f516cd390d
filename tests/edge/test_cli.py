"""What goes wrong at the command line: the exit code, and a message that says what to do."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import edge.agent
import edge.commands
import edge.offline.verify  # noqa: F401 - commands import them late, and nobody may not read them
from edge.cli import main
from edge.keystore import load_frame_key, make_keys
from hub.embedded.processes import free_port
from support.rows.wire_vectors import build
from support.servers.gateway import Gateway, environment

METER: Mapping[str, object] = {"id": "METER_001", "profile": "sdm630", "url": "tcp://127.0.0.1:1502?device=1"}


def gateway(folder: Path, *meters: Mapping[str, object], **extra: object) -> Gateway:
    gw = Gateway("gw-north", folder, meters or (METER,), extra=extra)
    gw.write_config()
    return gw


@pytest.mark.parametrize(
    ("meter", "says"),
    [
        ({**METER, "profile": "sdm999"}, "no meter profile 'sdm999': use one of"),
        ({**METER, "url": "tcp://"}, "needs a host"),
        ({**METER, "url": "ftp://x"}, "must begin with tcp://"),
        ({"id": "METER_001"}, "needs either profile and url"),
        ({**METER, "topic": "a/b"}, "needs either profile and url"),
        ({**METER, "colour": "red"}, "colour: Extra inputs are not permitted"),
        ({**METER, "id": "meter 1"}, "meter.0.id"),
        ({"id": "METER_001", "dialect": "tasmota-sml", "topic": "t"}, "no [mqtt] section"),
        ({"id": "METER_001", "dialect": "esperanto", "topic": "t"}, "meter.0.dialect"),
    ],
)
def test_a_wrong_meter(tmp_path: Path, meter: dict[str, object], says: str) -> None:
    done = gateway(tmp_path, meter).run("explain-plan", "--config", tmp_path / "edge.toml")
    assert (done.code, says in done.err) == (78, True), done.err


def test_wrong_files(tmp_path: Path) -> None:
    gw = gateway(tmp_path)
    missing = gw.run("run", "--config", tmp_path / "none.toml")
    assert missing.code == 78 and "peerwatt-edge init" in missing.err
    gw.config.write_text("gateway_id = \n")
    bad = gw.run("run", "--config", gw.config)
    assert bad.code == 78 and "is not TOML" in bad.err and "line 1" in bad.err
    gw.config.write_bytes(b"\xff\xfe")
    assert gw.run("run", "--config", gw.config).code == 78


def test_two_meters_alike(tmp_path: Path) -> None:
    twice = gateway(tmp_path, METER, METER).run("explain-plan", "--config", tmp_path / "edge.toml")
    assert twice.code == 78 and "listed twice: METER_001" in twice.err
    for url in ("tcp://127.0.0.1:1502?device=1", "tcp://127.0.0.1:1502", "tcp://127.0.0.1:1502/?device=01"):
        same = gateway(tmp_path, METER, {**METER, "id": "METER_002", "url": url})
        done = same.run("explain-plan", "--config", tmp_path / "edge.toml")
        assert done.code == 78 and "same address: device 1 on tcp://127.0.0.1:1502" in done.err


def test_a_bus_that_can_not_keep_its_slots_is_refused_with_the_arithmetic(tmp_path: Path) -> None:
    meters = [
        {"id": f"METER_{n}", "profile": "sdm630", "url": f"rtu:///dev/x?baud=2400&device={n}"} for n in range(1, 9)
    ]
    done = gateway(tmp_path, *meters).run("explain-plan", "--config", tmp_path / "edge.toml")
    assert done.code == 78
    assert "8 meters on rtu:///dev/x need" in done.err and "raise poll_period_s" in done.err
    slower = gateway(tmp_path, *meters, poll_period_s=60).run(
        "explain-plan", "--config", tmp_path / "edge.toml", "--json"
    )
    assert slower.code == 0 and slower.json["buses"][0]["meters"] == 8
    mixed = [meters[0], {**meters[1], "url": "rtu:///dev/x?baud=9600&device=2"}]
    done = gateway(tmp_path, *mixed, poll_period_s=60).run("explain-plan", "--config", tmp_path / "edge.toml")
    assert done.code == 78 and "same baud" in done.err


def test_not_enrolled(tmp_path: Path) -> None:
    gw = gateway(tmp_path)
    assert gw.run("init", "--config", gw.config).code == 0
    done = gw.run("run", "--config", gw.config)
    assert done.code == 78 and "peerwatt-hub token gw-north" in done.err
    status = gw.run("status", "--config", gw.config, "--json")
    assert status.code == 1 and status.json["enrolled"] is False


def test_keys_that_can_not_be_used(tmp_path: Path) -> None:
    gw = gateway(tmp_path)
    assert gw.run("init", "--config", gw.config).code == 0
    key = gw.state / "keys" / "frame.key"
    assert key.stat().st_mode & 0o777 == 0o600 and gw.state.stat().st_mode & 0o777 == 0o700
    key.chmod(0o644)
    open_key = gw.run("init", "--config", gw.config, "--json")
    assert open_key.code == 77 and "chmod 600" in open_key.err and open_key.json["code"] == "key_unreadable"
    key.chmod(0o600)
    key.write_text("not a key")
    assert gw.run("init", "--config", gw.config).code == 77


def test_init_writes_a_sample_that_it_can_read_again(tmp_path: Path) -> None:
    gw = gateway(tmp_path)
    sample = tmp_path / "sample.toml"
    assert gw.run("init", "--config", sample).code == 0
    assert gw.run("init", "--config", sample, "--json").json["gateway_id"] == "gw-north"
    assert gw.run("explain-plan", "--config", sample).code == 0


def test_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gw = gateway(tmp_path)
    for name, value in environment(PEERWATT_EDGE_CONFIG=str(gw.config), PEERWATT_EDGE_POLL_PERIOD_S="30").items():
        monkeypatch.setenv(name, value)
    assert gw.run("explain-plan", "--json").json["poll_period_s"] == 30


def test_a_hub_that_does_not_answer(tmp_path: Path, hub_ca: Path) -> None:
    gw = gateway(tmp_path)
    (tmp_path / "ca.pem").write_text(hub_ca.read_text())
    gw.config.write_text(gw.config.read_text().replace('127.0.0.1:1"', f'127.0.0.1:{free_port()}"'))
    done = gw.run("enroll", "--token", "pwt_x", "--config", gw.config)
    assert done.code == 69 and "check hub.url" in done.err
    (tmp_path / "ca.pem").unlink()
    assert gw.run("enroll", "--token", "pwt_x", "--config", gw.config).code == 78
    assert gw.run("enroll", "--config", gw.config).code == 2


def test_a_proof_file(tmp_path: Path) -> None:
    gw, file = gateway(tmp_path), tmp_path / "proof.json"
    proof = build()["proof"]
    file.write_text(json.dumps(proof))
    good = gw.run("verify", file, "--json")
    assert good.code == 0 and good.json["record"]["import_wh"] == 12_345_678
    file.write_text(json.dumps({**proof, "index": 1}))
    bad = gw.run("verify", file, "--json")
    assert bad.code == 1 and bad.json["code"] == "merkle_root"
    file.write_text("nothing of the kind")
    assert gw.run("verify", file).code == 1
    assert gw.run("verify", tmp_path / "none").code == 1


def test_keys_come_from_systemd_when_it_hands_them_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_keys(tmp_path / "own")
    make_keys(tmp_path / "handed")
    own = load_frame_key(tmp_path / "own")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "handed"))
    assert load_frame_key(tmp_path / "own") != own


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('url = "https://127.0.0.1:1"', 'url = "https://127.0.0.1:99999"'),
        ('url = "https://127.0.0.1:1"', 'url = "https://127.0.0.1:0"'),
        ('url = "https://127.0.0.1:1"', 'url = "https://[::1"'),
        ('url = "mqtt://127.0.0.1:1883"', 'url = "mqtt://127.0.0.1:99999"'),
        ('url = "https://127.0.0.1:1"', 'url = "https://127.0.0.1:1"\nnats_url = "tls://127.0.0.1:70000"'),
    ],
)
def test_a_port_that_there_is_none_of(tmp_path: Path, old: str, new: str) -> None:
    gw = Gateway("gw-north", tmp_path, (METER,), {"url": "mqtt://127.0.0.1:1883"})
    gw.write_config()
    text = gw.config.read_text()
    assert old in text
    gw.config.write_text(text.replace(old, new))
    done = gw.run("enroll", "--token", "x", "--config", gw.config)
    assert done.code == 78 and "port from 1 to 65535" in done.err


@pytest.mark.parametrize("name", ["HUB", "METER"])
def test_a_section_in_the_environment_that_is_no_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    gw = gateway(tmp_path)
    monkeypatch.setenv(f"PEERWATT_EDGE_{name}", "foo")
    done = gw.run("status", "--config", gw.config)
    assert done.code == 78 and "PEERWATT_EDGE_HUB__URL" in done.err


def test_a_log_level_that_there_is_none_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gw = gateway(tmp_path)
    monkeypatch.setenv("PEERWATT_EDGE_LOG_LEVEL", "trace")
    assert gw.run("version").code == 0
    done = gw.run("explain-plan", "--config", gw.config)
    assert done.code == 78 and "log_level" in done.err


@contextlib.contextmanager
def closed_to_us(folder: Path) -> Iterator[None]:
    """Nobody may open a folder without its mode bits, root excepted: root becomes nobody meanwhile."""
    folder.chmod(0)
    if os.geteuid() == 0:
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)
    else:
        yield
    folder.chmod(0o700)


@pytest.mark.parametrize("command", ["run", "status", "verify"])
def test_somebody_who_may_not_read_the_state_folder(command: str, capfd: pytest.CaptureFixture[str]) -> None:
    # pytest's own folders are closed to others as a whole
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        gw = gateway(Path(name))
        assert gw.run("init", "--config", gw.config).code == 0
        with closed_to_us(gw.state):
            code = main([command, "--config", str(gw.config)])
    assert (code, "can not be re" in capfd.readouterr().err) == (77, True)
