"""Cumulative registers that do not simply grow, pure: rollover, reset, swap, a step back, or what can not be true."""

from dataclasses import dataclass

STEP_BACK_S = 300
"""Some meters save their energy every five minutes, and fall back to that after a power cut."""
ROLLOVERS_WH = (2**32, 10**8, 10**9, 10**10, 10**11)
"""Where registers begin again: u32 and acc32 in Wh, and displays of 5 to 8 digits of kWh."""
SET_BACK_S = 3600
SLACK_WH = 100
"""Rounding and a late read are no reason to refuse."""


@dataclass(frozen=True, slots=True)
class Counters:
    """The registers of one meter at one moment."""

    at_s: int
    import_wh: int
    export_wh: int
    serial: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """``event`` is what to record (empty for ordinary growth); an implausible one is not recorded at all."""

    event: str = ""
    plausible: bool = True
    reason: str = ""


FINE = Judgement()


def judge(before: Counters | None, now: Counters, max_power_w: int) -> Judgement:
    """Compares two readings of one meter in time order."""
    if before is None:
        return FINE
    if before.serial and now.serial and before.serial != now.serial:
        return Judgement("swap")
    elapsed_s = now.at_s - before.at_s
    # A wall clock that was set back says nothing about how much time has passed
    most_wh = _most_wh(max_power_w, elapsed_s if elapsed_s > 0 else SET_BACK_S)
    grown = (now.import_wh - before.import_wh, now.export_wh - before.export_wh)
    if max(grown) > most_wh:
        return Judgement(plausible=False, reason=f"{max(grown)} Wh more in {now.at_s - before.at_s} s is not possible")
    if min(grown) >= 0:
        return FINE
    return _fallen(before, now, grown, most_wh, max_power_w)


def _fallen(before: Counters, now: Counters, grown: tuple[int, int], most_wh: int, max_power_w: int) -> Judgement:
    pairs = ((before.import_wh, now.import_wh), (before.export_wh, now.export_wh))
    fallen = [pair for pair, by in zip(pairs, grown, strict=True) if by < 0]
    if all(any(0 <= new + limit - old <= most_wh for limit in ROLLOVERS_WH) for old, new in fallen):
        return Judgement("rollover")
    if min(grown) >= -_most_wh(max_power_w, STEP_BACK_S):
        return Judgement("step_back")
    if all(new <= most_wh for _, new in fallen):
        return Judgement("reset")
    return Judgement(plausible=False, reason=f"the register fell by {-min(grown)} Wh, but not to zero")


def _most_wh(power_w: int, seconds: int) -> int:
    return 2 * power_w * seconds // 3600 + SLACK_WH
