"""Changes to an interval's public facts, for the checks of an audit: each returns a changed copy."""

from dataclasses import replace
from typing import Any

from hub.audit.facts import PublicInterval


def settlement(interval: PublicInterval, **changes: Any) -> PublicInterval:
    """Changes fields of the settlement."""
    assert interval.settlement is not None
    return replace(interval, settlement=replace(interval.settlement, **changes))


def first(interval: PublicInterval, **changes: Any) -> PublicInterval:
    """Changes fields of the first revision."""
    assert interval.first_revision is not None
    return replace(interval, revisions=(replace(interval.first_revision, **changes), *interval.revisions[1:]))


def corrected(interval: PublicInterval, **changes: Any) -> PublicInterval:
    """Adds a second revision, which differs from the first in these fields."""
    assert interval.first_revision is not None
    return replace(interval, revisions=(interval.first_revision, replace(interval.first_revision, number=2, **changes)))


def later(interval: PublicInterval, seconds: int) -> PublicInterval:
    """Moves the time of the audit to so many seconds after the interval's end."""
    return replace(interval, now_s=interval.end_s + seconds)


def line(interval: PublicInterval, index: int = 0, **changes: Any) -> PublicInterval:
    """Changes fields of one line."""
    lines = list(interval.lines)
    lines[index] = replace(lines[index], **changes)
    return replace(interval, lines=tuple(lines))


def meter(interval: PublicInterval, index: int, **changes: Any) -> PublicInterval:
    """Changes fields of one registered meter."""
    meters = list(interval.meters)
    meters[index] = replace(meters[index], **changes)
    return replace(interval, meters=tuple(meters))


def unattested(interval: PublicInterval) -> PublicInterval:
    """Leaves out attestation, minted energy and settlement."""
    return replace(interval, revisions=(), minted_wh=None, settlement=None, lines=())
