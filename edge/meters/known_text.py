"""What is known of a meter's registers as text for the ledger, and back."""

import json
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from edge.meters.doubts import Known, Run
from edge.meters.points import Point

_fields = attrgetter(*Point.__slots__)


def to_text(known: Known) -> str:
    """Returns it as JSON: lists, a point's fields in their order."""
    run = known.run and [_fields(known.run.first), _fields(known.run.last), known.run.count]
    points = [known.baseline and _fields(known.baseline), known.previous and _fields(known.previous)]
    return json.dumps([*points, run, [_fields(point) for point in known.given_up], known.falls], separators=(",", ":"))


def from_text(text: str, *, same_boot: bool) -> Known:
    """Returns what ``to_text`` wrote down; after another boot of the machine without times of its monotonic clock.

    Raises:
        ValueError: the text is none of ours.
    """
    try:
        baseline, previous, run, given_up, falls = json.loads(text)
        return Known(
            baseline and _point(baseline, same_boot),
            previous and _point(previous, same_boot),
            run and Run(_point(run[0], same_boot), _point(run[1], same_boot), int(run[2])),
            tuple(_point(values, same_boot) for values in given_up),
            int(falls),
        )
    except (TypeError, IndexError) as error:
        raise ValueError(f"{text[:40]!r} says nothing of a meter's registers") from error


def _point(values: Sequence[Any], same_boot: bool) -> Point:
    sequence, at_ms, monotonic_ms, late_ms, import_wh, export_wh, serial = values
    return Point(sequence, at_ms, monotonic_ms if same_boot else None, late_ms, import_wh, export_wh, serial)
