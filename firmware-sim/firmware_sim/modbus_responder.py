"""Answers the Modbus requests of one listener or bus.

Registers are saved before they are served, and logged as served after the answer is on its way.
"""

from asyncio import Future
from collections.abc import Mapping
from dataclasses import dataclass

from firmware_sim.clock import Clock
from firmware_sim.errors import SimError
from firmware_sim.fleet import Fleet
from firmware_sim.meter import Meter
from firmware_sim.modbus_frames import GATEWAY_TARGET_FAILED, exception_response, parse_read_request, read_response
from firmware_sim.registers import RegisterMap, read_block
from firmware_sim.truth_log import ServedReading, TruthLog


@dataclass(frozen=True)
class SimulatorContext:
    """What everything that serves meters shares; ``failed`` takes the error that stops the simulator."""

    fleet: Fleet
    truth: TruthLog
    clock: Clock
    failed: "Future[None]"

    def fail(self, error: SimError) -> None:
        """Stops the simulator with an error; the first one counts."""
        if not self.failed.done():
            self.failed.set_exception(error)


@dataclass(frozen=True)
class Device:
    """A meter and the register map that it serves."""

    meter: Meter
    register_map: RegisterMap


@dataclass(frozen=True)
class ModbusResponder:
    """The devices of one listener or bus, by unit id."""

    context: SimulatorContext
    devices: Mapping[int, Device]

    def respond(self, unit: int, pdu: bytes) -> tuple[bytes, ServedReading | None]:
        """Returns the response's PDU, and what the truth log gets once it is sent (None without energy registers).

        Raises:
            SimError: the registers can not be saved first.
        """
        if (device := self.devices.get(unit)) is None:
            return exception_response(pdu[0] & 0x7F, GATEWAY_TARGET_FAILED), None
        request = parse_read_request(pdu)
        if isinstance(request, bytes):
            return request, None
        function, address, count = request
        now_ms = self.context.clock.now_ms()
        snapshot = device.meter.snapshot(now_ms // 1000)
        block = read_block(device.register_map, function, address, count, snapshot)
        if isinstance(block, int):
            return exception_response(function, block), None
        served = None
        if block.import_wh is not None or block.export_wh is not None:
            self.context.fleet.save(now_ms // 1000)
            served = ServedReading(
                now_ms, device.meter.id, block.import_wh, block.export_wh, snapshot.power_w, "modbus"
            )
        return read_response(function, block), served

    def log_served(self, served: ServedReading | None) -> None:
        """Writes into the truth log what has been sent.

        Raises:
            TruthError: the log can not be written.
        """
        if served is not None:
            self.context.truth.record(served)
