"""Judges cumulative registers, pure: growth, rollover, reset, swap, a step back, or a value that can not be true."""

from dataclasses import dataclass

STEP_BACK_S = 300
"""Some meters store their energy every five minutes, and go back to that value after a power cut."""
ROLLOVERS_WH = (2**32, 10**8, 10**9, 10**10, 10**11)
"""Where registers begin again: u32 and acc32 in Wh, and displays of 5 to 8 digits of kWh."""
ASSUMED_S = 3600
"""Taken for the time between two readings when the wall clock was set back and says nothing of it."""
TOLERANCE_WH = 100
"""For rounding and for a reading that was taken late."""


@dataclass(frozen=True, slots=True)
class Counters:
    """The registers of one meter at one moment (s since 1970)."""

    at_s: int
    import_wh: int
    export_wh: int
    serial: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """``event`` is the counter event to record, empty for growth; an implausible reading is not recorded at all."""

    event: str = ""
    plausible: bool = True
    reason: str = ""


GROWTH = Judgement()


def judge(before: Counters | None, now: Counters, max_power_w: int) -> Judgement:
    """Compares two readings of one meter in time order; it can not measure more than ``max_power_w``."""
    if before is None:
        return GROWTH
    if before.serial and now.serial and before.serial != now.serial:
        return Judgement("swap")
    elapsed_s = now.at_s - before.at_s
    most_wh = _most_wh(max_power_w, elapsed_s if elapsed_s > 0 else ASSUMED_S)
    growth_wh = (now.import_wh - before.import_wh, now.export_wh - before.export_wh)
    if max(growth_wh) > most_wh:
        return Judgement(
            plausible=False, reason=f"{max(growth_wh)} Wh more in {now.at_s - before.at_s} s is not possible"
        )
    if min(growth_wh) >= 0:
        return GROWTH
    return _judge_fall(before, now, growth_wh, most_wh, max_power_w)


def _judge_fall(
    before: Counters, now: Counters, growth_wh: tuple[int, int], most_wh: int, max_power_w: int
) -> Judgement:
    """Says why a register is lower than before; at most ``most_wh`` can have been counted meanwhile."""
    pairs = ((before.import_wh, now.import_wh), (before.export_wh, now.export_wh))
    fallen = [pair for pair, growth in zip(pairs, growth_wh, strict=True) if growth < 0]
    if all(any(0 <= new + limit - old <= most_wh for limit in ROLLOVERS_WH) for old, new in fallen):
        return Judgement("rollover")
    if min(growth_wh) >= -_most_wh(max_power_w, STEP_BACK_S):
        return Judgement("step_back")
    if all(new <= most_wh for _, new in fallen):
        return Judgement("reset")
    return Judgement(plausible=False, reason=f"the register fell by {-min(growth_wh)} Wh, but not to zero")


def _most_wh(power_w: int, seconds: int) -> int:
    """The energy of twice the power, and the tolerance."""
    return 2 * power_w * seconds // 3600 + TOLERANCE_WH
