"""The registers on disk: read at the start, replaced before newer values are served, so that no restart steps back."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from firmware_sim.energy import Energy, Registers
from firmware_sim.errors import ConfigError, SimError

VERSION = 1


@dataclass(frozen=True)
class PlayState:
    """How far a scenario was played: its file's digest, its start, and the last second, in s since 1970."""

    digest: str
    start_s: int
    until_s: int


@dataclass(frozen=True)
class SavedState:
    """The energy of meters by id, and the scenario that was played, if any."""

    meters: Mapping[str, Energy] = field(default_factory=dict)
    play: PlayState | None = None


def read_state(path: Path) -> SavedState:
    """Reads the state; an empty one when there is no file yet.

    Raises:
        ConfigError: the file is damaged, unreadable or of another version.
    """
    try:
        state = json.loads(path.read_bytes())
        if state["version"] != VERSION:
            raise ConfigError(
                f"{path} is a state of version {state['version']}, this is {VERSION}: move it away to start anew"
            )
        play = state.get("scenario")
        return SavedState(
            {name: _energy(meter) for name, meter in state["meters"].items()},
            play and PlayState(str(play["digest"]), int(play["start_s"]), int(play["until_s"])),
        )
    except FileNotFoundError:
        return SavedState()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path} is not a state file of the simulator: move it away to start anew") from error
    except OSError as error:
        raise ConfigError(
            f"The state file {path} can not be read ({error.strerror}): name another with --state"
        ) from error


def _energy(saved: Mapping[str, Any]) -> Energy:
    """Reads a meter; with its registers alone it is a sound one."""
    shown = _registers(saved)
    if "flowed" not in saved:
        return Energy.of(shown)
    flowed, counted, cut = (_registers(saved[name]) for name in ("flowed", "counted", "saved"))
    held = [None if saved[name] is None else int(saved[name]) for name in ("held_import_ws", "held_export_ws")]
    return Energy(flowed, counted, shown, cut, *held)


def _registers(saved: Mapping[str, Any]) -> Registers:
    return Registers(int(saved["import_ws"]), int(saved["export_ws"]))


def _saved(energy: Energy, play: PlayState | None) -> dict[str, Any]:
    """Encodes a meter; without a scenario its registers are all."""
    shown = vars(energy.shown)
    if play is None:
        return shown
    held = {"held_import_ws": energy.held_import_ws, "held_export_ws": energy.held_export_ws}
    parts = {"flowed": energy.flowed, "counted": energy.counted, "saved": energy.saved}
    return {**shown, **held, **{name: vars(registers) for name, registers in parts.items()}}


def write_state(path: Path, saved: SavedState, *, sync: bool = False) -> None:
    """Replaces the file as a whole; ``sync`` flushes it to the disk.

    Raises:
        SimError: the file can not be written.
    """
    state: dict[str, Any] = {
        "version": VERSION,
        "meters": {name: _saved(energy, saved.play) for name, energy in saved.meters.items()},
    }
    if saved.play is not None:
        state["scenario"] = vars(saved.play)
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
