"""Says when a message of an MQTT meter was measured, pure: its own time, or the gateway's."""

from edge.errors import ImplausibleError
from edge.meters.dialects import Measurement
from edge.wire.kinds import FLAG_GATEWAY_TIME, FLAG_RETAINED

SKEW_MS = 60_000
"""A device's own time is used while it is no further from a synchronised clock of the gateway."""


def moment(measurement: Measurement, now_ms: int, *, synchronised: bool, retained: bool) -> tuple[int, int]:
    """Returns the time in ms since 1970 that counts, and flags of ``wire.kinds``.

    Whichever side a device's clock errs on (1970, uptime, another zone, the hour that comes twice in autumn), the
    gateway's time counts then.

    Raises:
        ImplausibleError: the broker kept the message, and nobody can say since when.
    """
    own_ms = measurement.at_ms
    flags = FLAG_RETAINED if retained else 0
    if own_ms is not None and synchronised and abs(own_ms - now_ms) <= SKEW_MS:
        return own_ms, flags
    if retained:
        raise ImplausibleError("a retained message, and its own time does not say when it was measured")
    return now_ms, flags | (FLAG_GATEWAY_TIME if measurement.gave_time else 0)
