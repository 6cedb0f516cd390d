"""An event loop in a thread of its own, so that session-wide servers do not depend on one test's loop."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any, Self, TypeVar

T = TypeVar("T")


class Background:
    """An event loop that runs in its own thread while the block lasts."""

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine in the background loop; returns its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    @contextlib.contextmanager
    def entered(self, manager: AbstractAsyncContextManager[T]) -> Iterator[T]:
        """Makes an async context manager a plain one; one task enters and leaves it, as cancel scopes demand."""
        ready: asyncio.Future[T] = self._loop.create_future()
        leave = asyncio.Event()

        async def stay_inside() -> None:
            try:
                async with manager as value:
                    ready.set_result(value)
                    await leave.wait()
            except BaseException as error:
                if not ready.done():
                    ready.set_exception(error)
                    return
                raise

        async def wait() -> T:
            return await ready

        inside = asyncio.run_coroutine_threadsafe(stay_inside(), self._loop)
        value = self.run(wait())
        try:
            yield value
        finally:
            self._loop.call_soon_threadsafe(leave.set)
            inside.result()
