"""Takes an operator's decision about a meter's energy: checks it, stores it, and marks the intervals that it changes.

Corrections compute the marked intervals again (``hub.metering.corrections``), so that the next revision follows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

from hub.clock import Clock, rfc3339_s
from hub.http.problems import NotFoundError
from hub.metering.corrections.repository import mark_around
from hub.metering.corrections.service import CORRECTIONS_END_MS
from hub.metering.decided import most_wh, share, standing
from hub.metering.decisions import repository
from hub.metering.decisions.errors import (
    AboveRatedPowerError,
    NotAttestedError,
    NothingToAcceptError,
    NothingToWithdrawError,
    NotWholeIntervalsError,
    TooOldError,
)
from hub.metering.decisions.repository import AttestedSpan
from hub.metering.readings import Decision
from hub.metering.rules import RULES
from hub.postgres.db import Connection

LONGEST_INTERVAL_S = 3600
ACCEPTABLE = frozenset(rule.id for rule in RULES if rule.acceptable)


@dataclass(frozen=True, slots=True)
class Decider:
    """Who decides, and why."""

    user_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A decision that was stored, and how many intervals are computed again for it."""

    meter_id: str
    decision_id: int
    intervals_marked: int


async def decide(connection: Connection, meter_id: str, decision: Decision, decider: Decider, clock: Clock) -> Taken:
    """Takes a decision in the caller's transaction.

    Raises:
        NotFoundError: there is no such meter.
        NotAttestedError: an interval of the span is not attested, or the meter was not part of it.
        TooOldError: the span begins more than 40 days ago.
        NotWholeIntervalsError: it does not begin and end with an interval.
        AboveRatedPowerError: it replaces energy by more than the rated power gives.
        NothingToAcceptError: nothing in the span is in doubt that could be accepted.
        NothingToWithdrawError: nothing in the span was decided.
    """
    rated_power_w = await repository.rated_power_w(connection, meter_id)
    if rated_power_w is None:
        raise NotFoundError(f"There is no meter {meter_id}")
    spans = await _attested(connection, meter_id, decision, clock.now_ms())
    await _check_kind(connection, meter_id, decision, spans, rated_power_w)
    return await _store(connection, meter_id, decision, decider, clock)


async def accept_gateway(
    connection: Connection, gateway_id: str, span: tuple[int, int], decider: Decider, clock: Clock
) -> list[Taken]:
    """Accepts what is in doubt in [start, end) of every meter of a gateway, as after a wrong clock of the hub's.

    Times in s since 1970. Returns a decision for each meter of which something is in doubt.

    Raises:
        NotFoundError: there is no such gateway, or it reads no meter.
        NotAttestedError: an interval of the span is not attested, or none of the meters was part of it.
        TooOldError: the span begins more than 40 days ago.
        NotWholeIntervalsError: it does not begin and end with an interval.
        NothingToAcceptError: nothing in the span is in doubt that could be accepted.
    """
    meter_ids = await repository.meters_of_gateway(connection, gateway_id)
    if not meter_ids:
        raise NotFoundError(f"There is no gateway {gateway_id} with meters")
    decision, taken, refused = Decision("accept", *span), list[Taken](), list[NotAttestedError | NothingToAcceptError]()
    for meter_id in meter_ids:
        try:
            taken.append(await decide(connection, meter_id, decision, decider, clock))
        except (NotAttestedError, NothingToAcceptError) as error:
            refused.append(error)
    if not taken:
        raise refused[0]
    return taken


async def _store(connection: Connection, meter_id: str, decision: Decision, decider: Decider, clock: Clock) -> Taken:
    now_ms = clock.now_ms()
    decision_id = await repository.insert(connection, meter_id, decision, decider.reason, decider.user_id, now_ms)
    marked = await mark_around(
        connection, meter_id, decision.start_s * 1000, decision.end_s * 1000, now_ms, now_ms - CORRECTIONS_END_MS
    )
    return Taken(meter_id, decision_id, marked)


async def _attested(connection: Connection, meter_id: str, decision: Decision, now_ms: int) -> Sequence[AttestedSpan]:
    """Returns the intervals that the decision is about."""
    start, end = rfc3339_s(decision.start_s), rfc3339_s(decision.end_s)
    oldest_s = (now_ms - CORRECTIONS_END_MS) // 1000
    if decision.start_s < oldest_s - LONGEST_INTERVAL_S:
        raise _too_old(start, oldest_s)
    if decision.end_s * 1000 > now_ms:
        raise NotAttestedError(f"{end} lies ahead: decide when the intervals up to there are attested")
    spans = await repository.attested_spans(connection, meter_id, decision.start_s, decision.end_s)
    if not spans or spans[-1].end_s < decision.end_s or spans[0].start_s > decision.start_s or _has_a_gap(spans):
        raise NotAttestedError(f"Not every interval from {start} to {end} is attested yet: decide when they are")
    if (spans[0].start_s, spans[-1].end_s) != (decision.start_s, decision.end_s):
        raise NotWholeIntervalsError(
            f"A decision is about whole intervals: the nearest are from {rfc3339_s(spans[0].start_s)} to "
            f"{rfc3339_s(spans[-1].end_s)}"
        )
    if spans[0].end_s < oldest_s:
        raise _too_old(start, oldest_s)
    without = next((span for span in spans if span.rules is None), None)
    if without is not None:
        raise NotAttestedError(f"{meter_id} was not part of the interval of {rfc3339_s(without.start_s)}")
    return spans


def _too_old(start: str, oldest_s: int) -> TooOldError:
    return TooOldError(
        f"Intervals are corrected up to 40 days after their end, so those that ended before {rfc3339_s(oldest_s)} no "
        f"more, such as that of {start}: bill the difference as a register line"
    )


def _has_a_gap(spans: Sequence[AttestedSpan]) -> bool:
    return any(before.end_s != after.start_s for before, after in pairwise(spans))


async def _check_kind(
    connection: Connection, meter_id: str, decision: Decision, spans: Sequence[AttestedSpan], rated_power_w: int
) -> None:
    """Refuses what a decision of its kind can not do."""
    match decision.kind:
        case "replace":
            _check_limit(meter_id, decision, spans, rated_power_w)
        case "accept":
            flagged = any(ACCEPTABLE & set(span.rules or ()) for span in spans)
            if not flagged and not await repository.are_doubted(connection, meter_id, decision.start_s, decision.end_s):
                raise NothingToAcceptError(
                    f"Of {meter_id} nothing is in doubt there that could be accepted: enter its registers, or replace "
                    "the energy"
                )
        case "withdraw":
            about = await repository.decisions_about(connection, meter_id, decision.start_s, decision.end_s)
            if not any(standing(about, span.start_s, span.end_s) for span in spans):
                raise NothingToWithdrawError(f"Nothing that was decided about {meter_id} stands there")


def _check_limit(meter_id: str, decision: Decision, spans: Sequence[AttestedSpan], rated_power_w: int) -> None:
    for span in spans:
        part, most = share(decision, span.start_s, span.end_s), most_wh(rated_power_w, span.end_s - span.start_s)
        if max(part.import_wh, part.export_wh) > most:
            raise AboveRatedPowerError(
                f"{meter_id} is rated {rated_power_w} W: with overload an interval has at most {most} Wh, and the "
                f"interval of {rfc3339_s(span.start_s)} would have {max(part.import_wh, part.export_wh)} Wh"
            )
