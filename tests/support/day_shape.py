"""How energy is spread over a day, in weights that a test names: a ``Spread`` that both tellings of the oracle know."""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.metering.sharing import DAY_MS, Piece


@dataclass(frozen=True, slots=True)
class DayShape:
    """Weights of equal steps from midnight UTC, in any unit."""

    import_weights: tuple[int, ...]
    export_weights: tuple[int, ...]

    def pieces(self, direction: int, since_ms: int, until_ms: int) -> Sequence[Piece]:
        """Returns a gap as pieces of the weights of import (0) or export (1); none when there are no weights."""
        weights = self.export_weights if direction else self.import_weights
        if not any(weights):
            return []
        step_ms = DAY_MS // len(weights)
        found: list[Piece] = []
        while since_ms < until_ms:
            end_ms = min(until_ms, since_ms - since_ms % step_ms + step_ms)
            found.append(Piece(since_ms, end_ms, weights[since_ms % DAY_MS // step_ms % len(weights)]))
            since_ms = end_ms
        return found
