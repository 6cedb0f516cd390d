"""Converts database rows to API models: columns and fields have the same names, bytes become hex."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from hub.postgres.db import Record

Row = Mapping[str, Any] | Record
Model = TypeVar("Model", bound=BaseModel)


def show(model: type[Model], row: Row, **extra: object) -> Model:
    """Returns the model with ``extra`` as fields, and every other field from the row's column of its name."""
    columns = {name: with_hex(row[name]) for name in model.model_fields if name not in extra}
    return model.model_validate({**columns, **extra})


def with_hex(value: object) -> object:
    """Returns bytes as hex, and any other value unchanged."""
    return value.hex() if isinstance(value, bytes) else value
