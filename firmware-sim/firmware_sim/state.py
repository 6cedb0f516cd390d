"""The registers on disk: read at the start, replaced before newer values are served, so that no restart steps back."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from firmware_sim.errors import ConfigError, SimError
from firmware_sim.meter import Registers

VERSION = 1


def read_state(path: Path) -> dict[str, Registers]:
    """Reads the registers by meter id; none when there is no file yet.

    Raises:
        ConfigError: the file is damaged, unreadable or of another version.
    """
    try:
        state = json.loads(path.read_bytes())
        if state["version"] != VERSION:
            raise ConfigError(
                f"{path} is a state of version {state['version']}, this is {VERSION}: move it away to start anew"
            )
        return {
            name: Registers(int(meter["import_ws"]), int(meter["export_ws"])) for name, meter in state["meters"].items()
        }
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path} is not a state file of the simulator: move it away to start anew") from error
    except OSError as error:
        raise ConfigError(
            f"The state file {path} can not be read ({error.strerror}): name another with --state"
        ) from error


def write_state(path: Path, meters: Mapping[str, Registers], *, sync: bool = False) -> None:
    """Replaces the file as a whole; ``sync`` flushes it to the disk.

    Raises:
        SimError: the file can not be written.
    """
    state = {
        "version": VERSION,
        "meters": {name: {"import_ws": r.import_ws, "export_ws": r.export_ws} for name, r in meters.items()},
    }
    draft = path.with_name(path.name + ".new")
    try:
        with draft.open("w") as file:
            json.dump(state, file)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise SimError(
            f"The state file {path} can not be written ({error.strerror}): free the disk or name another"
        ) from error


def read_ports(path: Path) -> dict[str, int]:
    """Reads the free ports that the last run chose, by listener; none when the file is missing or damaged."""
    try:
        return {str(name): int(port) for name, port in json.loads(path.read_bytes()).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def write_ports(path: Path, ports: Mapping[str, int]) -> None:
    """Saves the chosen ports, so that readers find the meters again after a restart.

    Raises:
        SimError: the file can not be written.
    """
    try:
        path.write_text(json.dumps(ports))
    except OSError as error:
        raise SimError(
            f"{path} can not be written ({error.strerror}): free the disk or name another --state"
        ) from error


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Locks the state file, for one simulator at a time.

    Raises:
        SimError: another simulator has it, or its folder can not be written.
    """
    lock = path.with_name(path.name + ".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with lock.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise SimError(f"Another simulator uses {path}: stop it, or name another file with --state") from error
            yield
    except OSError as error:
        raise SimError(f"The state folder {path.parent} can not be written ({error.strerror}): name another") from error
