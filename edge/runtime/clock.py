"""Reads the machine's clocks, and notices when the wall clock jumps. Who needs time is given a ``Clock``."""

import ctypes
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID

from edge.wire.kinds import INFORMATIVE, RELATIVE, SYNCHRONISED, ClockStep

STEP_MS = 1_000
"""A smaller change between two looks is the kernel's slewing (adjtimex(2)), not a step."""
EARLIEST_MS = 1_735_689_600_000
"""2025-01-01: a clock that shows an earlier time was never set (a Raspberry Pi has no battery)."""
# adjtimex(2): the status bit STA_UNSYNC and the return value TIME_ERROR
_STA_UNSYNC, _TIME_ERROR = 0x40, 5
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """The clocks that the agent reads."""

    def now_ms(self) -> int:
        """Returns the wall clock in ms since 1970 UTC; it may jump."""
        ...

    def monotonic_ms(self) -> int:
        """Returns ms since the kernel booted, sleep included; it never jumps."""
        ...

    def synchronised(self) -> tuple[bool, int]:
        """Returns whether the kernel's clock is synchronised, and its estimated error in ms (0 = unknown)."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
        return time.clock_gettime_ns(clock) // 1_000_000

    def synchronised(self) -> tuple[bool, int]:
        state = _Timex()
        try:
            code = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(state))
        except (OSError, AttributeError):
            return False, 0
        if code in (-1, _TIME_ERROR) or state.status & _STA_UNSYNC:
            return False, 0
        return True, max(0, state.esterror) // 1000


class _Timex(ctypes.Structure):
    """The struct timex of adjtimex(2), as far as it is read; ``modes`` 0 changes nothing."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


@dataclass
class ManualClock:
    """Clocks for tests: they stand still until they are set."""

    ms: int
    monotonic: int = 1_000_000
    is_synchronised: bool = True

    def now_ms(self) -> int:
        return self.ms

    def monotonic_ms(self) -> int:
        return self.monotonic

    def synchronised(self) -> tuple[bool, int]:
        return self.is_synchronised, 0

    def advance(self, ms: int) -> None:
        """Lets both clocks run on."""
        self.ms += ms
        self.monotonic += ms

    def step(self, ms: int) -> None:
        """Lets the wall clock jump, and only that."""
        self.ms += ms


def kernel_boot_id() -> bytes:
    """Returns the 16 bytes that Linux draws at every boot; zeros on a kernel that has none."""
    try:
        return UUID(_BOOT_ID.read_text().strip()).bytes
    except (OSError, ValueError):
        return bytes(16)


class TimeKeeper:
    """Tells how good the time is, and notices when the wall clock jumps against the one that does not."""

    def __init__(self, clock: Clock, kernel_boot_id: bytes) -> None:
        self._clock = clock
        self._kernel_boot_id = kernel_boot_id
        self._offset_ms = clock.now_ms() - clock.monotonic_ms()

    @property
    def kernel_boot_id(self) -> bytes:
        """The 16 bytes that tell this boot of the machine from others; zeros where the kernel has none."""
        return self._kernel_boot_id

    @property
    def now_ms(self) -> int:
        """The wall clock in ms since 1970 UTC."""
        return self._clock.now_ms()

    @property
    def quality(self) -> str:
        """OCMF's letter: ``S`` synchronised, ``I`` plausible, ``R`` counted from boot (the clock was never set)."""
        if self._clock.now_ms() < EARLIEST_MS:
            return RELATIVE
        return SYNCHRONISED if self._clock.synchronised()[0] else INFORMATIVE

    def detect_step(self) -> ClockStep | None:
        """Returns the record of a jump of the wall clock since the last call; None when it did not jump."""
        now_ms, monotonic_ms = self._clock.now_ms(), self._clock.monotonic_ms()
        moved_ms = now_ms - monotonic_ms - self._offset_ms
        self._offset_ms += moved_ms
        if abs(moved_ms) < STEP_MS:
            return None
        return ClockStep(max(0, now_ms), self._kernel_boot_id, monotonic_ms, moved_ms, self.quality)
