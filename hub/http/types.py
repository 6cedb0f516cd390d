"""Value types of the API: times in RFC 3339 UTC, hashes in hex, half-open ranges."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Query
from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from hub.clock import at_ms
from hub.http.context import Ctx
from hub.http.problems import BadRangeError

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(?P<zone>Z|[+-]\d\d:\d\d)?")
EARLIEST_YEAR, LATEST_YEAR = 2000, 2200
MAX_SPAN = timedelta(days=400)


def utc_text(moment: datetime) -> str:
    """Formats a time as RFC 3339 with ``Z``; fractions of a second only if they are not 0."""
    text = moment.astimezone(UTC).isoformat(timespec="microseconds" if moment.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def _parse_utc(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = _RFC3339.fullmatch(value)
    if match is None:
        raise PydanticCustomError("time_malformed", "write the time as RFC 3339, like 2026-06-01T10:00:00Z")
    if match["zone"] is None:
        raise PydanticCustomError("time_zone_missing", "the time has no zone: write it in UTC with a Z at the end")
    if match["zone"] not in {"Z", "+00:00"}:
        raise PydanticCustomError("time_not_utc", "the time must be UTC: convert it and write a Z at the end")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise PydanticCustomError("time_malformed", "there is no such day or time") from error
    if not EARLIEST_YEAR <= moment.year < LATEST_YEAR:
        raise PydanticCustomError("time_out_of_range", "the year must lie between 2000 and 2200")
    return moment


UtcTime = Annotated[
    datetime,
    BeforeValidator(_parse_utc),
    PlainSerializer(utc_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-06-01T10:00:00Z"]}),
]
"""A time in UTC; a text without a zone, or in another zone, is refused."""

Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="32 bytes in hex")]
Hex = Annotated[str, Field(pattern=r"^([0-9a-f]{2})*$", description="Bytes in hex")]
GatewayId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
MeterId = Annotated[str, Field(pattern=r"^[A-Z0-9_]{1,32}$", examples=["METER_001"])]
Limit = Annotated[int, Query(ge=1, le=1000, description="At most this many items")]
Cursor = Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before")]


@dataclass(frozen=True)
class Range:
    """[start, end) in UTC."""

    start: datetime
    end: datetime


async def time_range(
    ctx: Ctx,
    start: Annotated[UtcTime | None, Query(alias="from", description="Inclusive; default 24 h before `to`")] = None,
    end: Annotated[UtcTime | None, Query(alias="to", description="Exclusive; default now")] = None,
) -> Range:
    """Returns the half-open range of a request, by default the last 24 hours.

    Raises:
        BadRangeError: the end is not after the start, or more than 400 days after it.
    """
    until = end or at_ms(ctx.clock.now_ms())
    since = start or until - timedelta(days=1)
    if until <= since:
        raise BadRangeError(f"`to` ({utc_text(until)}) must be after `from` ({utc_text(since)}): ranges are [from, to)")
    if until - since > MAX_SPAN:
        raise BadRangeError(f"The range is longer than {MAX_SPAN.days} days: ask for less at a time")
    return Range(since, until)
