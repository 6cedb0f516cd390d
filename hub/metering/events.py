"""Builds the live stream's event of an attested interval: totals only, which everybody may see."""

from typing import Any

from hub.clock import rfc3339_s
from hub.metering.attestation import Attestation
from hub.metering.intervals import Span


def interval_event(span: Span, revision: int, attested: Attestation) -> dict[str, Any]:
    """Returns the payload of the outbox's topic ``interval``; energy in Wh."""
    return {
        "start_at": rfc3339_s(span.start_s),
        "end_at": rfc3339_s(span.end_s),
        "revision": revision,
        "meters_valid": attested.meters_valid,
        "meters_estimated": attested.meters_estimated,
        "import_wh": attested.import_wh,
        "export_wh": attested.export_wh,
    }
