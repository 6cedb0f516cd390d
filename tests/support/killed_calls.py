"""Kills the work in progress at a chosen call, as far as others can see: a ConnectionError ends it there."""

import contextlib
from collections.abc import Iterator

import pytest


@contextlib.contextmanager
def killed_before(target: object, function: str) -> Iterator[None]:
    """Ends the block with a ConnectionError when ``target.function`` is called; it is not carried out.

    Raises: AssertionError, when the block ends otherwise.
    """

    async def die(*_: object, **__: object) -> None:
        raise ConnectionError("killed")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(target, function, die)
        with pytest.raises(ConnectionError, match="killed"):
            yield


@contextlib.contextmanager
def killed_after(target: object, function: str) -> Iterator[None]:
    """Ends the block with a ConnectionError when ``target.function`` has been carried out.

    Raises: AssertionError, when the block ends otherwise.
    """
    original = getattr(target, function)

    async def call_then_die(*args: object, **options: object) -> None:
        await original(*args, **options)
        raise ConnectionError("killed")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(target, function, call_then_die)
        with pytest.raises(ConnectionError, match="killed"):
            yield
