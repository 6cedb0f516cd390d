"""The interface of a round: work that the worker repeats, on the one copy that holds its lease."""

from typing import Protocol

from hub.postgres.lease import Lease

INTERVALS_A_ROUND = 50
"""Most intervals of one round; after a full round the next begins at once."""


class Round(Protocol):
    """Work under a lease of its own, so that a failure delays no other round; listed in ``worker.registry``."""

    @property
    def name(self) -> str:
        """The name of the lease, and of the loop in logs."""
        ...

    async def run(self, lease: Lease) -> bool:
        """Does what is due now; returns whether there may be more to do at once.

        Raises:
            LeaseLostError: another copy leads now; the writes were refused.
            RetryableError: something is unavailable; the worker tries again.
            PermanentError: a person must act; the worker logs it each time it tries again.
        """
        ...
