"""Reads a Modbus meter by its plan: the registers of its blocks become one ``MeterReading`` in whole units."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from edge.errors import ImplausibleError, MeterError
from edge.meters.decode import decode, half_up
from edge.meters.endpoints import Endpoint
from edge.meters.modbus import Bus, ExclusiveDevice, Timing
from edge.meters.plan import Block, WireCost, plan_blocks, wanted_quantities
from edge.meters.profile import Profile, Quantity, Register
from edge.meters.readings import MeterReading
from edge.runtime.clock import Clock
from edge.wire.quantities import obis


@dataclass
class ModbusMeter:
    """One meter on its bus; ``quantities`` are the OBIS codes (C.D.E) to be read beside the energy."""

    meter_id: str
    profile: Profile
    endpoint: Endpoint
    bus: Bus
    quantities: tuple[str, ...]
    max_power_w: int
    serial: str | None = None
    """None until it is asked for with the next read; empty when the meter tells none."""
    blocks: tuple[Block, ...] = field(init=False)
    timing: Timing = field(init=False)

    def __post_init__(self) -> None:
        self.blocks = plan_blocks(self.profile, self.quantities, self.wire_cost)
        self.timing = Timing.of(self.profile, self.endpoint)

    @property
    def wire_cost(self) -> WireCost:
        """The time that requests take on its bus."""
        return WireCost.of(self.endpoint, self.profile)

    async def read(self, slot_s: int, clock: Clock) -> MeterReading:
        """Reads the meter for a slot (s since 1970); waits for its bus.

        Raises:
            MeterError: it did not answer in time, refused, or answered with something else than was asked for.
            ImplausibleError: a value can not be true.
        """
        async with self.bus.device(self.endpoint.device, self.timing) as device:
            if self.serial is None:
                self.serial = await self._read_serial(device)
            answers = await device.read(self.blocks)
        return self._reading(slot_s, clock.now_ms(), answers)

    def forget_serial(self) -> None:
        """Lets the next read ask for the serial number again: after a loss another meter may have been put there."""
        self.serial = None

    def _reading(self, slot_s: int, read_at_ms: int, answers: Mapping[Block, Sequence[int]]) -> MeterReading:
        export = self.profile.export_wh
        return MeterReading(
            self.meter_id,
            slot_s,
            read_at_ms,
            self._energy_wh(answers, self.profile.import_wh, "import"),
            0 if export is None else self._energy_wh(answers, export, "export"),
            tuple(self._quantities(answers)),
            self.serial or "",
        )

    def _energy_wh(self, answers: Mapping[Block, Sequence[int]], register: Register, name: str) -> int:
        value = self._value(answers, register)
        if value is None or value < 0:
            raise ImplausibleError(
                f"{self.meter_id}: the {name} register is {'not available' if value is None else value}"
            )
        return half_up(value * register.factor)

    def _quantities(self, answers: Mapping[Block, Sequence[int]]) -> list[tuple[int, int, int]]:
        quantities = []
        for quantity in wanted_quantities(self.profile, self.quantities):
            value = self._value(answers, quantity)
            if value is not None:
                quantities.append(
                    (obis(quantity.obis), self._checked(quantity, half_up(value * quantity.factor)), quantity.scale)
                )
        return quantities

    def _checked(self, quantity: Quantity, number: int) -> int:
        """Refuses an active power of more than twice what the meter can measure."""
        if quantity.obis == "16.7.0" and abs(number) > 2 * self.max_power_w:
            raise ImplausibleError(
                f"{self.meter_id}: {number} W, but it can not measure more than {self.max_power_w} W"
            )
        return number

    def _value(self, answers: Mapping[Block, Sequence[int]], register: Register) -> Fraction | None:
        function = register.function or self.profile.function
        for block, words in answers.items():
            first = register.address - block.address
            if block.function == function and first >= 0 and first + register.count <= block.count:
                own_words = words[first : first + register.count]
                return decode(own_words, register.type, low_word_first=self.profile.low_word_first)
        raise MeterError(f"{self.meter_id}: no block covers register {register.address}")

    async def _read_serial(self, device: ExclusiveDevice) -> str:
        """Reads the serial number; empty when the meter does not tell it: a reading does not fail for that."""
        serial = self.profile.serial
        if serial is None:
            return ""
        block = Block(serial.function or self.profile.function, serial.address, serial.registers)
        with contextlib.suppress(MeterError):
            words = (await device.read([block]))[block]
            if serial.type == "u32":
                value = decode(words, "u32", low_word_first=self.profile.low_word_first)
                return str(half_up(value)) if value else ""
            raw = b"".join(word.to_bytes(2, "big") for word in words)
            text = raw[1::2] if serial.type == "low_bytes" else raw
            return "".join(chr(byte) for byte in text if 0x20 < byte < 0x7F)[:32]
        return ""
