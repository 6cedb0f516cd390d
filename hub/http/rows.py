"""Database rows as API models: same names, bytes as hex."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from hub.postgres.db import Record

Row = Mapping[str, Any] | Record
Model = TypeVar("Model", bound=BaseModel)


def show(model: type[Model], row: Row, **extra: object) -> Model:
    """The model with every field that ``extra`` does not give taken from the row's column of that name."""
    columns = {name: hexed(row[name]) for name in model.model_fields if name not in extra}
    return model.model_validate({**columns, **extra})


def hexed(value: object) -> object:
    """Bytes as hex, everything else as it is."""
    return value.hex() if isinstance(value, bytes) else value
