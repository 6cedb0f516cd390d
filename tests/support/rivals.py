"""Another process that does the same: it comes first."""

import contextlib
from collections.abc import Iterator

import pytest


@contextlib.contextmanager
def another_comes_first(target: object, function: str) -> Iterator[None]:
    """Has ``target.function`` succeed for another process just before each call in the block."""
    original = getattr(target, function)

    async def second(*arguments: object) -> object:
        assert await original(*arguments)
        return await original(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(target, function, second)
        yield
