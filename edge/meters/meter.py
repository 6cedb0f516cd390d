"""Reads a Modbus meter by its plan: the registers of its blocks become one ``MeterReading`` in whole units."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from edge.errors import ImplausibleError, MeterError, MeterRefusedError
from edge.meters.decode import decode, half_up
from edge.meters.endpoints import Endpoint
from edge.meters.modbus import Bus, ExclusiveDevice, Timing
from edge.meters.plan import Block, WireCost, plan_blocks, single_block, wanted_quantities, wanted_registers
from edge.meters.probes import prove
from edge.meters.profile import EnergyRegister, Profile, Quantity, Register
from edge.meters.readings import MeterReading
from edge.runtime.clock import Clock
from edge.wire.quantities import obis

SERIAL_ASKS = 3
LARGEST = 2**63 - 1
"""Of a quantity, in what its scale says."""

log = logging.getLogger(__name__)


@dataclass
class ModbusMeter:
    """One meter on its bus; ``quantities`` are the OBIS codes (C.D.E) to be read beside the energy."""

    meter_id: str
    profile: Profile
    endpoint: Endpoint
    bus: Bus
    quantities: tuple[str, ...]
    max_power_w: int
    serial: str = ""
    """Empty when the meter tells none."""
    blocks: tuple[Block, ...] = field(init=False)
    timing: Timing = field(init=False)
    _absent: frozenset[Register] = frozenset()
    """Optional registers that the meter refused when it was asked for each alone."""
    _asked_alone: bool = False
    _proven: bool = False
    """Whether its probe fitted."""
    _exports: bool = False
    """Whether its export register has had a value."""
    _serial_asked: int = 0
    _serial_sure: bool = False
    """Two answers in a row were the same, or it was asked often enough."""
    _said: set[str] = field(default_factory=set)
    """Names of values of which was said that they are left out."""

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
            ProbeError: something else answers than the configuration says.
            MeterError: it did not answer in time, refused, or answered with something else than was asked for.
            ImplausibleError: an energy register has no value that can be true.
        """
        async with self.bus.device(self.endpoint.device, self.timing) as device:
            if not self._proven:
                await prove(device, self.profile)
                self._proven = True
            if not self._serial_sure:
                await self._ask_serial(device)
            answers = await self._read_blocks(device)
        return self._reading(slot_s, clock.now_ms(), clock.monotonic_ms(), answers)

    def forget(self) -> None:
        """Lets the next read find out everything again: after a loss another meter may have been put there."""
        self.serial, self._serial_asked, self._serial_sure = "", 0, False
        self._absent, self._asked_alone, self._exports = frozenset(), False, False
        self._proven = False
        self.blocks = plan_blocks(self.profile, self.quantities, self.wire_cost)

    async def _read_blocks(self, device: ExclusiveDevice) -> dict[Block, list[int]]:
        """Reads the blocks; finds out once what a meter does not have that refuses one of them."""
        try:
            return await device.read(self.blocks)
        except MeterRefusedError as error:
            if self._asked_alone or not error.lasting:
                raise
        self._absent = frozenset(await self._find_absent(device))
        # Where every value is there, it refuses what lies between them
        profile = self.profile if self._absent else self.profile.model_copy(update={"hole_max": 0})
        self.blocks = plan_blocks(profile, self.quantities, self.wire_cost, self._absent)
        self._asked_alone = True
        return await device.read(self.blocks)

    async def _find_absent(self, device: ExclusiveDevice) -> list[Register]:
        absent: list[Register] = []
        for register in wanted_registers(self.profile, self.quantities):
            if not isinstance(register, EnergyRegister | Quantity) or not register.optional:
                continue
            if isinstance(register, EnergyRegister) and self._exports:
                continue
            try:
                await device.read([single_block(self.profile, register)])
            except MeterRefusedError as error:
                if not error.lasting:
                    raise
                absent.append(register)
                self._say_left_out(_name(register), str(error))
        return absent

    def _say_left_out(self, name: str, reason: str) -> None:
        """Says once for each value that it is left out."""
        if name not in self._said:
            self._said.add(name)
            log.warning("value left out", extra={"meter_id": self.meter_id, "value": name, "reason": reason})

    def _reading(
        self, slot_s: int, read_at_ms: int, monotonic_ms: int, answers: Mapping[Block, Sequence[int]]
    ) -> MeterReading:
        return MeterReading(
            self.meter_id,
            slot_s,
            read_at_ms,
            self._energy_wh(self.profile.import_wh, self._value(answers, self.profile.import_wh), "import"),
            self._export_wh(answers),
            tuple(self._quantities(answers)),
            self.serial,
            monotonic_ms=monotonic_ms,
        )

    def _export_wh(self, answers: Mapping[Block, Sequence[int]]) -> int:
        register = self.profile.export_wh
        if register is None or register in self._absent:
            return 0
        value = self._value(answers, register)
        if value is None and register.optional and not self._exports:
            self._say_left_out("export", "the meter says that it is not available")
            return 0
        export_wh = self._energy_wh(register, value, "export")
        self._exports = True
        return export_wh

    def _energy_wh(self, register: Register, value: Fraction | None, name: str) -> int:
        if value is None or value < 0:
            raise ImplausibleError(
                f"{self.meter_id}: the {name} register is {'not available' if value is None else value}"
            )
        return half_up(value * register.factor)

    def _quantities(self, answers: Mapping[Block, Sequence[int]]) -> list[tuple[int, int, int]]:
        quantities = []
        for quantity in wanted_quantities(self.profile, self.quantities):
            if quantity in self._absent:
                continue
            try:
                value = self._value(answers, quantity)
                number = None if value is None else self._checked(quantity, half_up(value * quantity.factor))
            except ImplausibleError as error:
                self._say_left_out(quantity.obis, str(error))
                continue
            if number is None:
                self._say_left_out(quantity.obis, "the meter says that it is not available")
            else:
                quantities.append((obis(quantity.obis), number, quantity.scale))
        return quantities

    def _checked(self, quantity: Quantity, number: int) -> int:
        """Refuses an active power of more than twice what the meter can measure, and what no record can hold."""
        if quantity.obis == "16.7.0" and abs(number) > 2 * self.max_power_w:
            raise ImplausibleError(f"{number} W, but it can not measure more than {self.max_power_w} W")
        if abs(number) > LARGEST:
            raise ImplausibleError(f"{number} is out of range")
        return number

    def _value(self, answers: Mapping[Block, Sequence[int]], register: Register) -> Fraction | None:
        function = register.function or self.profile.function
        for block, words in answers.items():
            first = register.address - block.address
            if block.function == function and first >= 0 and first + register.count <= block.count:
                own_words = words[first : first + register.count]
                return decode(own_words, register.type, low_word_first=self.profile.low_word_first)
        raise MeterError(f"{self.meter_id}: no block covers register {register.address}")

    async def _ask_serial(self, device: ExclusiveDevice) -> None:
        """Asks for the serial number until two answers in a row are the same: one alone is not believed."""
        before, asked_before = self.serial, self._serial_asked
        self.serial, self._serial_asked = await self._read_serial(device), asked_before + 1
        self._serial_sure = self._serial_asked == SERIAL_ASKS or (asked_before > 0 and self.serial == before)

    async def _read_serial(self, device: ExclusiveDevice) -> str:
        """Reads the serial number; empty when the meter does not tell it: a reading does not fail for that."""
        serial = self.profile.serial
        if serial is None:
            return ""
        block = Block(serial.function or self.profile.function, serial.address, serial.registers)
        try:
            words = (await device.read([block]))[block]
        except MeterError:
            return ""
        if serial.type == "u32":
            value = decode(words, "u32", low_word_first=self.profile.low_word_first)
            return str(half_up(value)) if value else ""
        raw = b"".join(word.to_bytes(2, "big") for word in words)
        text = raw[1::2] if serial.type == "low_bytes" else raw
        return "".join(chr(byte) for byte in text if 0x20 < byte < 0x7F)[:32]


def _name(register: Register) -> str:
    return register.obis if isinstance(register, Quantity) else "export"
