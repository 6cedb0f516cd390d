"""Logs an outage once when it begins and once when it ends; the attempts between are not logged."""

import structlog

log = structlog.get_logger()


class Outage:
    """The state of one loop: whether something that it needs is unavailable."""

    def __init__(self, loop: str) -> None:
        self.loop = loop
        self._code: str | None = None

    def begins(self, error: BaseException) -> None:
        """Logs a warning, unless the same outage has begun already."""
        code = str(getattr(error, "code", "")) or type(error).__name__
        if code != self._code:
            self._code = code
            reason = str(error) or type(error).__name__
            log.warning("trying again until it works", loop=self.loop, code=code, reason=reason)

    def ends(self) -> None:
        """Logs that the loop works again, if an outage had begun."""
        if self._code is not None:
            log.info("works again", loop=self.loop, code=self._code)
            self._code = None
