"""The commands init, enroll, status and explain-plan. Each returns what is to be shown, ready for JSON."""

from pathlib import Path
from typing import Any

from edge.errors import ConfigError, TryAgainError, VerificationError
from edge.settings import Settings, load_settings

SAMPLE = """\
# The Peerwatt agent of one gateway. Every value has an environment twin: PEERWATT_EDGE_POLL_PERIOD_S, ...
gateway_id = "gw-north"          # as the hub knows it
state_dir = "{state_dir}"        # keys, identity and ledger; private
poll_period_s = 60               # slots are multiples of it on the wall clock

[hub]
url = "https://hub.example:8443" # the hub's device listener
ca_file = "hub-ca.pem"           # the hub's own CA, the only one that is trusted

# [mqtt]                         # the building's broker, for meters that publish
# url = "mqtt://127.0.0.1:1883"
# username = "gateway"
# password_file = "mqtt.password"

[[meter]]
id = "METER_001"
profile = "sdm630"
url = "tcp://192.0.2.10:502?device=1"     # or rtu:///dev/ttyUSB0?baud=9600&parity=N&device=1, or rtutcp://...

# [[meter]]
# id = "METER_011"
# dialect = "tasmota-sml"
# topic = "tele/METER_011/SENSOR"
"""


def init(config: Path | None) -> dict[str, Any]:
    """Makes the state folder, the keys and, where the file is missing, a sample configuration; what is there stays.

    Raises:
        ConfigError: a file is wrong, or can not be written.
        KeyFileError: the keys can not be made.
    """
    from edge.keystore import load_frame_key, load_nats_key, make_keys

    if config is not None and not config.exists():
        try:
            config.write_text(SAMPLE.format(state_dir=config.absolute().parent / "peerwatt-edge"))
        except OSError as error:
            raise ConfigError(f"{config} can not be written ({error.strerror}): choose another place") from error
        return {
            "ok": True,
            "config": str(config),
            "next": f"edit it, then run `peerwatt-edge init --config {config}` again",
        }
    settings = load_settings(config)
    _make_private(settings.state_dir)
    make_keys(settings.state_dir / "keys")
    public = bytes(load_frame_key(settings.state_dir / "keys").verify_key).hex()
    load_nats_key(settings.state_dir / "keys")
    return {"ok": True, "gateway_id": settings.gateway_id, "state_dir": str(settings.state_dir), "public_key": public}


def enroll(config: Path | None, token: str) -> dict[str, Any]:
    """Enrols the gateway with a one-time token, and keeps the identity that the hub answers with.

    Raises:
        ConfigError: the configuration, the CA file or the token is wrong, or the folder can not be made.
        KeyFileError: a key can not be made or read, or the identity can not be written.
        HubUnreachableError: there is no connection to a hub with this CA.
        RefusedError: the hub refused; ``code`` says why.
        TryAgainError: an operator has to accept the key first.
    """
    from edge.keystore import load_frame_key, load_nats_key, make_keys
    from edge.uplink.enrolment import enrol

    settings = load_settings(config)
    folder = settings.state_dir / "keys"
    _make_private(settings.state_dir)
    make_keys(folder)
    nats_key = bytes(load_nats_key(folder).public_key).decode()
    answer = enrol(settings.hub.url, settings.hub.ca_file, settings.gateway_id, token, load_frame_key(folder), nats_key)
    if answer.identity is None:
        raise TryAgainError(
            f"The key {answer.key_id} waits for an operator to accept it at the hub (the gateway has one already): "
            "then run the same command with the same token again"
        )
    answer.identity.save(settings.state_dir)
    return {
        "ok": True,
        "gateway_id": settings.gateway_id,
        "key_id": answer.key_id,
        "nats_url": answer.identity.nats_url,
    }


def status(config: Path | None) -> dict[str, Any]:
    """Asks the running agent for its status; when none runs, reads what the state folder holds.

    Raises:
        ConfigError: the configuration is wrong.
        KeyFileError: the state folder is closed to this user.
    """
    from edge.runtime.private_files import is_there
    from edge.runtime.status import SOCKET, ask_status
    from edge.uplink.identity import IDENTITY_FILE

    settings = load_settings(config)
    if is_there(settings.state_dir / SOCKET) and (running := ask_status(settings.state_dir)) is not None:
        return {"ok": True, **running}
    enrolled = is_there(settings.state_dir / IDENTITY_FILE)
    return {
        "ok": False,
        "running": False,
        "gateway_id": settings.gateway_id,
        "enrolled": enrolled,
        **_ledger_counts(settings),
    }


def _ledger_counts(settings: Settings) -> dict[str, Any]:
    from edge.offline.ledger_reader import open_ledger

    try:
        with open_ledger(settings.state_dir) as reader:
            return {"outbox_frames": reader.count_waiting(), "unsealed_records": reader.count_unsealed()}
    except (ConfigError, VerificationError):
        return {}


def explain_plan(config: Path | None) -> dict[str, Any]:
    """Returns the block reads of every meter and the load of every bus: milliseconds on the wire in each slot.

    Raises:
        ConfigError: the configuration is wrong, or a bus can not keep its slots.
    """
    from edge.fleet import build_fleet

    settings = load_settings(config)
    fleet = build_fleet(settings)
    meters = [
        {
            "meter_id": meter.meter_id,
            "profile": meter.profile.name,
            "bus": meter.bus.name,
            "device": meter.endpoint.device,
            "blocks": [f"{block.function} {block.address}+{block.count}" for block in meter.blocks],
            "busy_ms": meter.wire_cost.cost_us(meter.blocks) // 1000,
        }
        for meter in fleet.modbus
    ]
    buses = [
        {"bus": load.bus, "meters": load.meters, "busy_ms": load.busy_ms, "load_percent": load.percent}
        for load in fleet.loads(settings.poll_period_s)
    ]
    return {"ok": True, "poll_period_s": settings.poll_period_s, "meters": meters, "buses": buses}


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise ConfigError(
            f"state_dir {folder} can not be made ({error.strerror}): choose another, or its owner"
        ) from error
