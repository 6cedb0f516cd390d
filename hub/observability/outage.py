"""Says that something a loop needs is away, once, and that it is back, once; what is tried in between is silent."""

import structlog

_log = structlog.get_logger(__name__)


class Outage:
    """The trouble that one loop is in, or not."""

    def __init__(self, loop: str) -> None:
        self.loop = loop
        self._code: str | None = None

    def begins(self, error: BaseException) -> None:
        """Warns, unless the loop is in this trouble already."""
        code = str(getattr(error, "code", "")) or type(error).__name__
        if code != self._code:
            self._code = code
            reason = str(error) or type(error).__name__
            _log.warning("trying again until it works", loop=self.loop, code=code, reason=reason)

    def ends(self) -> None:
        """Says that it works again, when it did not."""
        if self._code is not None:
            _log.info("works again", loop=self.loop, code=self._code)
            self._code = None
