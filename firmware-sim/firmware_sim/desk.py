"""Answers Modbus requests of one listener or bus: registers on disk first, then the answer, then the truth log."""

from asyncio import Future
from collections.abc import Mapping
from dataclasses import dataclass

from firmware_sim.clock import Clock
from firmware_sim.errors import SimError
from firmware_sim.fleet import Fleet
from firmware_sim.meter import Meter
from firmware_sim.modbus_frames import NO_SUCH_DEVICE, exception, read_answer, read_request
from firmware_sim.registers import RegisterMap, read_block
from firmware_sim.truth import Served, TruthLog


@dataclass(frozen=True)
class Shared:
    """What all desks share; ``failed`` gets the error that must stop the simulator."""

    fleet: Fleet
    truth: TruthLog
    clock: Clock
    failed: "Future[None]"

    def fail(self, error: SimError) -> None:
        if not self.failed.done():
            self.failed.set_exception(error)


@dataclass(frozen=True)
class Device:
    """A meter behind a register map."""

    meter: Meter
    image: RegisterMap


@dataclass(frozen=True)
class Desk:
    """The devices of one listener or bus, by unit."""

    shared: Shared
    devices: Mapping[int, Device]

    def answer(self, unit: int, pdu: bytes) -> tuple[bytes, Served | None]:
        """The answer's PDU and what goes into the truth log once it is on its way.

        Raises:
            SimError: the registers can not be put on disk first.
        """
        if (device := self.devices.get(unit)) is None:
            return exception(pdu[0] & 0x7F, NO_SUCH_DEVICE), None
        request = read_request(pdu)
        if isinstance(request, bytes):
            return request, None
        function, address, count = request
        now_ms = self.shared.clock.now_ms()
        snapshot = device.meter.snapshot(now_ms // 1000)
        block = read_block(device.image, function, address, count, snapshot)
        if isinstance(block, int):
            return exception(function, block), None
        served = None
        if block.import_wh is not None or block.export_wh is not None:
            self.shared.fleet.keep(now_ms // 1000)
            served = Served(now_ms, device.meter.id, block.import_wh, block.export_wh, snapshot.power_w, "modbus")
        return read_answer(function, block), served

    def served(self, what: Served | None) -> None:
        """Notes what has been sent."""
        if what is not None:
            self.shared.truth.record(what)
