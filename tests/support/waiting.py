"""Waits for a condition by asking again and again, and fails by name when it does not hold in time."""

import asyncio
from collections.abc import Awaitable, Callable, Sized

PAUSE_S = 0.02
PATIENCE_S = 120
"""So long a test waits for what must come; it comes at once but on a machine that is busy with other things."""


async def eventually(
    condition: Callable[[], Awaitable[bool] | bool], *, seconds: float = PATIENCE_S, what: str = ""
) -> None:
    """Waits until the condition holds.

    Raises: AssertionError, with ``what`` in its message, when the condition does not hold within ``seconds``.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        answer = condition()
        if answer if isinstance(answer, bool) else await answer:
            return
        assert loop.time() < deadline, f"not within {seconds} s: {what or condition}"
        await asyncio.sleep(PAUSE_S)


def at_least(count: int, collected: Sized) -> Callable[[], bool]:
    """Returns a condition for ``eventually``: ``collected`` has ``count`` elements or more."""
    return lambda: len(collected) >= count
