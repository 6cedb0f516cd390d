"""Plans the reads of a meter, pure: as few blocks of registers as bus and meter allow."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from edge.meters.endpoints import Endpoint
from edge.meters.profile import Function, Profile, Quantity, Register

REQUEST_BYTES, REPLY_BYTES = 8, 5
"""RTU frames without data: address, function, fields, CRC."""
SILENCE_BYTES = 7
"""Two silences of 3.5 characters (Modbus over serial line V1.02, 2.5.1.1)."""
TURNAROUND_US = 10_000
TCP_REQUEST_US, TCP_REGISTER_US = 10_000, 10
"""Assumed times of a request and of each register over TCP."""


@dataclass(frozen=True, slots=True)
class Block:
    """One request: ``count`` registers from a zero-based wire address."""

    function: Function
    address: int
    count: int


@dataclass(frozen=True)
class WireCost:
    """The time that a request and each of its registers take on a bus, in microseconds."""

    request_us: int
    register_us: int

    @classmethod
    def of(cls, endpoint: Endpoint, profile: Profile) -> "WireCost":
        """Computes it; on a serial line from bit times (8 data bits), silences, pause and turnaround."""
        if not endpoint.is_rtu:
            return cls(TCP_REQUEST_US, TCP_REGISTER_US)
        bits = 1 + 8 + (endpoint.parity != "N") + endpoint.stopbits
        byte_us = bits * 1_000_000 // endpoint.baud
        frame_us = (REQUEST_BYTES + REPLY_BYTES + SILENCE_BYTES) * byte_us
        return cls(frame_us + profile.silence_ms * 1000 + TURNAROUND_US, 2 * byte_us)

    def cost_us(self, blocks: Sequence[Block]) -> int:
        """Returns the time of all these blocks."""
        return sum(self.request_us + block.count * self.register_us for block in blocks)


def wanted_quantities(profile: Profile, quantities: Sequence[str]) -> tuple[Quantity, ...]:
    """Returns the profile's quantities among these OBIS codes (C.D.E), in the profile's order."""
    return tuple(quantity for quantity in profile.quantities if quantity.obis in quantities)


def wanted_registers(profile: Profile, quantities: Sequence[str]) -> tuple[Register, ...]:
    """Returns the energy registers and those of these quantities."""
    export = () if profile.export_wh is None else (profile.export_wh,)
    return (profile.import_wh, *export, *wanted_quantities(profile, quantities))


def plan_blocks(
    profile: Profile, quantities: Sequence[str], wire: WireCost, absent: Collection[Register] = ()
) -> tuple[Block, ...]:
    """Plans the blocks for the energy registers and these quantities; no two blocks have the same length.

    RTU replies carry no transaction id: only its length tells a late reply from the one that is waited for. No block
    covers an ``absent`` register, which the meter does not have.
    """
    if absent:
        barriers = (*profile.barriers, *(r.address + n for r in absent for n in range(r.count)))
        profile = profile.model_copy(update={"barriers": barriers})
    registers = [register for register in wanted_registers(profile, quantities) if register not in absent]
    # A hole is read and dropped where that is quicker than another request
    hole_max = min(profile.hole_max, wire.request_us // max(1, wire.register_us))
    spans: list[tuple[Function, int, int]] = []
    for register in sorted(registers, key=lambda r: (r.function or profile.function, r.address)):
        function, (start, end) = register.function or profile.function, _aligned(register, profile)
        if spans and _joins(spans[-1], function, start, end, profile, hole_max):
            spans[-1] = (function, spans[-1][1], max(end, spans[-1][2]))
        else:
            spans.append((function, start, end))
    return _with_distinct_lengths([Block(function, start, end - start) for function, start, end in spans], profile)


def single_block(profile: Profile, register: Register) -> Block:
    """Returns the request for one register alone."""
    start, end = _aligned(register, profile)
    return Block(register.function or profile.function, start, end - start)


def _aligned(register: Register, profile: Profile) -> tuple[int, int]:
    start, end = register.address, register.address + register.count
    return (start - start % 2, end + end % 2) if profile.pairs_only else (start, end)


def _joins(
    span: tuple[Function, int, int], function: Function, start: int, end: int, profile: Profile, hole_max: int
) -> bool:
    """Returns whether a register may be read with the span before it: function, first address, address behind it."""
    span_function, first, last = span
    return (
        span_function == function
        and start - last <= hole_max
        and max(end, last) - first <= profile.max_registers
        and not any(first <= barrier < end for barrier in profile.barriers)
    )


def _with_distinct_lengths(blocks: Sequence[Block], profile: Profile) -> tuple[Block, ...]:
    """Makes equal lengths differ by reading a few registers more in front."""
    step, taken, distinct = 2 if profile.pairs_only else 1, set[int](), []
    for block in blocks:
        address, count = block.address, block.count
        while (
            count in taken
            and count + step <= profile.max_registers
            and address >= step
            and not any(address - step <= barrier < address for barrier in profile.barriers)
        ):
            address, count = address - step, count + step
        taken.add(count)
        distinct.append(Block(block.function, address, count))
    return tuple(distinct)
