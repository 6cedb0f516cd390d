"""What stands of a person's decisions about a meter, pure: for one interval, for one reading, and as a share of energy.

``doubts`` asks it which readings were accepted, ``intervals`` which energy replaces the one that was measured.
"""

from collections.abc import Sequence

from hub.metering.readings import Decision, Energy
from hub.metering.runs import OVERLOAD_PERCENT
from hub.units import Wh


def standing(decisions: Sequence[Decision], start_s: int, end_s: int) -> Decision | None:
    """Returns the newest decision about the whole of [start, end); None when there is none, or it was withdrawn."""
    newest = next((d for d in reversed(decisions) if d.start_s <= start_s and end_s <= d.end_s), None)
    return None if newest is None or newest.kind == "withdraw" else newest


def is_accepted(decisions: Sequence[Decision], slot_s: int) -> bool:
    """Whether a reading was accepted; one at a boundary by the decision about either of its intervals."""
    before = next((d for d in reversed(decisions) if d.start_s < slot_s <= d.end_s), None)
    after = next((d for d in reversed(decisions) if d.start_s <= slot_s < d.end_s), None)
    return any(d is not None and d.kind == "accept" for d in (before, after))


def share(replaced: Decision, start_s: int, end_s: int) -> Energy:
    """Returns an interval's part of the energy that a person entered for a longer span: evenly, rounded to the Wh.

    The parts of intervals that touch sum up to the whole.

    Raises:
        ValueError: the decision replaces no energy.
    """
    if replaced.energy is None:
        raise ValueError(f"a decision to {replaced.kind} has no energy")
    length_s = replaced.end_s - replaced.start_s

    def part(wh: int) -> Wh:
        until, since = (wh * (at_s - replaced.start_s) // length_s for at_s in (end_s, start_s))
        return Wh(until - since)

    return Energy(part(replaced.energy.import_wh), part(replaced.energy.export_wh))


def most_wh(rated_power_w: int, length_s: int) -> int:
    """Returns the most energy that a person may enter for an interval, in Wh: the rated power, with overload."""
    return rated_power_w * length_s // 3600 * OVERLOAD_PERCENT // 100
