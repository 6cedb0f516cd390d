"""The oracle's rules: each is a pure function with an id, which is stored with every value that it flags.

A rule with the effect ``NOTE`` only remarks. One with ``DOUBT`` makes the energy ``estimated``: nothing of it is
traded, minted or certified. One with ``WITHHOLD`` does so because the registers cannot be believed: their export is no
credit until somebody has decided. ``mend`` is what an operator can do about it; where it is empty there is nothing to
do. What a rule with ``acceptable`` flags, an operator may accept: then it only remarks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from hub.metering.readings import DecisionKind
from hub.metering.rules import clock, decisions, events, plausibility, registers
from hub.metering.rules.rule import Effect, Rule
from hub.metering.rules.window import Window

__all__ = ["DECIDED", "RULES", "Effect", "Judgement", "Rule", "Window", "judge"]


def _doubted(name: str) -> Callable[[Window], bool]:
    return partial(registers.doubted, name)


def _event(name: str) -> Callable[[Window], bool]:
    return partial(events.happened, name)


def _decided(kind: DecisionKind) -> Callable[[Window], bool]:
    return partial(decisions.decided, kind)


RULES = (
    Rule("range", Effect.NOTE, _doubted("range"), "A register was read as more than 1 TWh.",
         "Check the meter's profile and wiring."),
    Rule("unconfirmed", Effect.NOTE, _doubted("unconfirmed"), "A reading waits for others to confirm it."),
    Rule("misread", Effect.NOTE, _doubted("misread"), "A reading was wrong, as the readings after it show."),
    Rule("counter_monotonic", Effect.NOTE, _doubted("counter_monotonic"), "A register was read as less than before."),
    Rule("rate_of_change", Effect.NOTE, _doubted("rate_of_change"), "A register rose faster than the meter can count.",
         "Check the meter's rated power and profile."),
    Rule("stale", Effect.NOTE, _doubted("stale"), "The meter gave old registers again and again."),
    Rule("rated_power", Effect.WITHHOLD, registers.rated_power_exceeded,
         "More energy than the rated power allows.", "Check the meter's rated power, transformer ratio and profile."),
    Rule("clock", Effect.NOTE, clock.clock_doubted, "The gateway's clock was wrong.",
         "Check that the gateway reaches a time server."),
    Rule("meter_clock", Effect.NOTE, clock.meter_clock, "The meter's clock was wrong: the gateway's counts.",
         "Set the meter's clock."),
    Rule("read_late", Effect.NOTE, clock.read_late, "The meter was read late in its slot."),
    Rule("gap", Effect.NOTE, registers.gap_seen, "Readings are missing."),
    Rule("first", Effect.NOTE, _event("first"), "A new agent, or one that lost its memory, began to read the meter."),
    Rule("rollover", Effect.NOTE, _event("rollover"), "The counter reached its end and began again."),
    Rule("reset", Effect.NOTE, _event("reset"), "The counter was set to 0."),
    Rule("swap", Effect.NOTE, _event("swap"), "The meter was replaced by another."),
    Rule("step_back", Effect.NOTE, _event("step_back"), "After a power cut the meter went on from an older value."),
    Rule("entered", Effect.NOTE, _event("entered"), "A person entered the registers of a change that nobody saw."),
    Rule("unseen_event", Effect.DOUBT, events.unseen_event, "The counter went on from another value; nobody saw why.",
         "Enter the last register of the old meter and the first of the new one."),
    Rule("boundary_interpolated", Effect.NOTE, registers.boundary_interpolated,
         "A boundary lies between two readings that are near."),
    Rule("boundary_shared", Effect.DOUBT, registers.boundary_shared,
         "Nothing was read near a boundary: the energy of the longer gap is shared out."),
    Rule("not_measured", Effect.DOUBT, registers.not_measured, "A part of the interval was not measured.",
         "Mend the meter or its gateway; when readings are lost for good, replace the energy by what is known."),
    Rule("frozen", Effect.DOUBT, plausibility.frozen, "The registers stand still while power flows.",
         "Check the meter: restart it or replace it.", acceptable=True),
    Rule("power_disagrees", Effect.WITHHOLD, plausibility.power_disagrees, "Registers and power do not fit together.",
         "Check the meter's profile and transformer ratio.", acceptable=True),
    Rule("power_jumped", Effect.NOTE, plausibility.power_jumped, "The power changed by more than is possible.",
         "Check the meter's profile."),
    Rule("load_exports", Effect.WITHHOLD, plausibility.load_exports, "A load gives energy.",
         "Turn its current transformer round, or change the meter's kind.", acceptable=True),
    Rule("both_rise", Effect.WITHHOLD, plausibility.both_rise, "Both registers rise in one interval.",
         "Check the direction of each current transformer.", acceptable=True),
    Rule("exports_at_night", Effect.WITHHOLD, plausibility.exports_at_night, "A generator gives energy at night.",
         "Check the meter's clock, kind and wiring.", acceptable=True),
    Rule("accepted", Effect.NOTE, _decided("accept"), "An operator has looked at the readings and accepted them."),
    Rule("replaced", Effect.DOUBT, _decided("replace"), "An operator has entered this energy, with the reason."),
)  # fmt: skip
"""Every rule; a new one is a function and a row."""
DECIDED = ("accepted", "replaced")
"""The ids of the rules that say what an operator decided."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The ids of the rules that flag a window, in the order of ``RULES``, and the strongest of their effects."""

    rules: tuple[str, ...]
    effect: Effect


def judge(window: Window) -> Judgement:
    """Asks every rule about a window; what an operator accepted has no effect."""
    flagged = [rule for rule in RULES if rule.flags(window)]
    accepted = decisions.decided("accept", window)
    effects = (rule.effect for rule in flagged if not (accepted and rule.acceptable))
    effect = max(effects, key=lambda effect: effect.value, default=Effect.NOTE)
    return Judgement(tuple(rule.id for rule in flagged), effect)
