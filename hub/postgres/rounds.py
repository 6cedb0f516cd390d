"""What a room brings to the worker: work that is done in rounds, by the one copy that holds its lease."""

from typing import Protocol

from hub.postgres.lease import Lease

INTERVALS_A_ROUND = 50
"""After a full round there may be more to do, and the next begins at once."""


class Round(Protocol):
    """Work under a lease of its own: what one round can not do holds up no other. Registered in ``worker.registry``."""

    @property
    def name(self) -> str:
        """The name of the lease, and of the loop in logs."""
        ...

    async def run(self, lease: Lease) -> bool:
        """Does what is due now; returns whether there may be more to do at once.

        Raises:
            LeaseLostError: another copy leads; what was being written was refused.
            RetryableError: something is away; the worker tries again.
            PermanentError: a person must look; the worker says so each time it tries again.
        """
        ...
