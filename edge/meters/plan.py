"""The read planner, pure: from a profile to as few block reads as wire and meter allow."""

from collections.abc import Sequence
from dataclasses import dataclass

from edge.meters.endpoints import Endpoint
from edge.meters.profile import Function, Profile, Quantity, Register

REQUEST_BYTES, REPLY_BYTES = 8, 5
"""RTU frame around nothing: address, function, fields, CRC."""
TCP_REQUEST_US, TCP_REGISTER_US = 10_000, 10


@dataclass(frozen=True, slots=True)
class Block:
    """One request."""

    function: Function
    address: int
    count: int


@dataclass(frozen=True)
class Wire:
    """What a request and a register cost on this transport, in microseconds."""

    request_us: int
    register_us: int

    @classmethod
    def of(cls, endpoint: Endpoint, profile: Profile) -> "Wire":
        """Serial: bit times (8 data bits), two silences of 3.5 characters, the meter's own pause and turnaround."""
        if not endpoint.is_rtu:
            return cls(TCP_REQUEST_US, TCP_REGISTER_US)
        bits = 1 + 8 + (endpoint.parity != "N") + endpoint.stopbits
        byte_us = bits * 1_000_000 // endpoint.baud
        turnaround_us = 10_000
        fixed = (REQUEST_BYTES + REPLY_BYTES + 7) * byte_us + profile.silence_ms * 1000 + turnaround_us
        return cls(fixed, 2 * byte_us)

    def cost_us(self, blocks: Sequence[Block]) -> int:
        """Time on the wire for all of these."""
        return sum(self.request_us + block.count * self.register_us for block in blocks)


def wanted(profile: Profile, quantities: Sequence[str]) -> tuple[Quantity, ...]:
    """The profile's quantities among these OBIS codes, in the profile's order."""
    return tuple(quantity for quantity in profile.quantities if quantity.obis in quantities)


def plan(profile: Profile, quantities: Sequence[str], wire: Wire) -> tuple[Block, ...]:
    """The block reads for the energy registers and these quantities; no two blocks have the same length.

    RTU replies carry no transaction id, so that only its length tells a late reply from the one that is waited for.
    """
    registers: list[Register] = [profile.import_wh, *wanted(profile, quantities)]
    if profile.export_wh is not None:
        registers.append(profile.export_wh)
    hole_max = min(profile.hole_max, wire.request_us // max(1, wire.register_us))
    spans: list[tuple[Function, int, int]] = []
    for register in sorted(registers, key=lambda r: (r.function or profile.function, r.address)):
        function, (start, end) = register.function or profile.function, _aligned(register, profile)
        if spans and _joins(spans[-1], function, start, end, profile, hole_max):
            spans[-1] = (function, spans[-1][1], max(end, spans[-1][2]))
        else:
            spans.append((function, start, end))
    return _distinct([Block(function, start, end - start) for function, start, end in spans], profile)


def _aligned(register: Register, profile: Profile) -> tuple[int, int]:
    start, end = register.address, register.address + register.count
    return (start - start % 2, end + end % 2) if profile.pairs_only else (start, end)


def _joins(
    span: tuple[Function, int, int], function: Function, start: int, end: int, profile: Profile, hole_max: int
) -> bool:
    known, first, last = span
    return (
        known == function
        and start - last <= hole_max
        and max(end, last) - first <= profile.max_registers
        and not any(first <= barrier < end for barrier in profile.barriers)
    )


def _distinct(blocks: Sequence[Block], profile: Profile) -> tuple[Block, ...]:
    """Makes equal lengths differ by reading a little more in front."""
    step, taken, found = 2 if profile.pairs_only else 1, set[int](), []
    for block in blocks:
        address, count = block.address, block.count
        while count in taken and count + step <= profile.max_registers and address >= step:
            address, count = address - step, count + step
        taken.add(count)
        found.append(Block(block.function, address, count))
    return tuple(found)
