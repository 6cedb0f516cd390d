"""Answers the Modbus requests of one listener or bus.

Registers are saved before they are served, and logged as served after the answer is on its way.
"""

from asyncio import Future
from collections.abc import Mapping
from dataclasses import dataclass, replace

from firmware_sim.clock import Clock
from firmware_sim.errors import SimError
from firmware_sim.fleet import Fleet
from firmware_sim.meter import Meter
from firmware_sim.modbus_frames import (
    GATEWAY_TARGET_FAILED,
    exception_response,
    parse_read_request,
    read_response,
    rtu_frame,
    spoiled_frame,
    tcp_frame,
)
from firmware_sim.register_maps import MAPS
from firmware_sim.registers import ENERGIES, BlockReply, RegisterMap, quantities_in, read_block
from firmware_sim.scenario.answering import Answer
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

    def log_labels(self) -> None:
        """Writes into the truth log which faults of the scenario have begun and ended until now.

        Raises:
            TruthError: the log can not be written.
        """
        if self.fleet.play is not None:
            for label in self.fleet.play.changes(self.clock.now_ms() // 1000):
                self.truth.label(label)

    def count_answer(self, meter_id: str, at_s: int) -> None:
        """Counts an answer for the scenario, some faults of which end after a number of them."""
        if self.fleet.play is not None:
            self.fleet.play.count_answer(meter_id, at_s)


@dataclass(frozen=True)
class Device:
    """A meter and the register map that it serves."""

    meter: Meter
    register_map: RegisterMap


@dataclass(frozen=True)
class Response:
    """An answer's PDU, the unit id that it goes out under, and how; without a PDU nothing is answered.

    ``served`` is what the truth log gets once it is sent, None where no energy was asked for.
    """

    pdu: bytes | None
    unit: int
    served: ServedReading | None = None
    late_s: float = 0
    spoiled: frozenset[str] = frozenset()

    def rtu(self) -> bytes:
        """Encodes it for a serial line."""
        return b"" if self.pdu is None else spoiled_frame(rtu_frame(self.unit, self.pdu), self.spoiled)

    def tcp(self, transaction: int) -> bytes:
        """Encodes it for TCP, as the answer to a transaction."""
        return b"" if self.pdu is None else spoiled_frame(tcp_frame(transaction, self.unit, self.pdu), self.spoiled)


@dataclass(frozen=True)
class ModbusResponder:
    """The devices of one listener or bus, by unit id."""

    context: SimulatorContext
    devices: Mapping[int, Device]

    def respond(self, unit: int, pdu: bytes) -> Response:
        """Returns the response to a request.

        Raises:
            SimError: the registers can not be saved first.
        """
        if (device := self.devices.get(unit)) is None:
            return Response(exception_response(pdu[0] & 0x7F, GATEWAY_TARGET_FAILED), unit)
        request = parse_read_request(pdu)
        if isinstance(request, bytes):
            return Response(request, unit)
        function, address, count = request
        now_ms = self.context.clock.now_ms()
        answer = self.context.fleet.answer(device.meter.id, now_ms // 1000)
        asked = quantities_in(device.register_map, function, address, count)
        block = answered_block(device.register_map, answer, function, address, count)
        if "import_wh" in asked:
            self.context.count_answer(device.meter.id, now_ms // 1000)
        sent = not isinstance(block, int) and not answer.silent and not answer.spoiled
        wh = (block.import_wh, block.export_wh) if sent and isinstance(block, BlockReply) else (None, None)
        served = None
        if wh != (None, None) or (answer.truth is not None and asked & ENERGIES):
            self.context.fleet.save(now_ms // 1000)
            power_w = answer.snapshot.power_w
            served = ServedReading(now_ms, device.meter.id, *wh, power_w, "modbus", truth=answer.truth)
        response = exception_response(function, block) if isinstance(block, int) else read_response(function, block)
        return Response(
            None if answer.silent else response,
            unit if answer.unit is None else answer.unit,
            served,
            answer.late_ms / 1000,
            answer.spoiled,
        )

    def max_connections(self, otherwise: int) -> int:
        """Returns how many connections the listener takes now."""
        now_s = self.context.clock.now_ms() // 1000
        fleet = self.context.fleet
        if fleet.play is None:
            return otherwise
        single = any(fleet.answer(device.meter.id, now_s).single_connection for device in self.devices.values())
        return 1 if single else otherwise

    def log_served(self, served: ServedReading | None) -> None:
        """Writes into the truth log what has been sent.

        Raises:
            TruthError: the log can not be written.
        """
        if served is not None:
            self.context.log_labels()
            self.context.truth.record(served)


def answered_block(
    register_map: RegisterMap, answer: Answer, function: int, address: int, count: int
) -> BlockReply | int:
    """Reads a block as a meter answers it that is configured with this map, or returns the exception's code."""
    if answer.refused:
        asked = quantities_in(register_map, function, address, count)
        for key, code in answer.refused.items():
            if not key or key in asked:
                return code
    answering = register_map if answer.profile is None else MAPS[answer.profile]
    if answer.swapped_words:
        answering = replace(answering, low_word_first=not answering.low_word_first)
    return read_block(answering, function, address, count, answer.snapshot)
