"""The checked-in description of the API is the code's."""

from hub.api.app import describe
from hub.api.openapi import CHECKED_IN, render


def test_checked_in_description_is_up_to_date() -> None:
    assert CHECKED_IN.read_text(encoding="utf-8") == render(describe()), "run: peerwatt-hub openapi --write"


def test_every_operation_says_what_it_does_and_how_it_fails() -> None:
    document = describe().openapi()
    names = []
    for path in document["paths"].values():
        for operation in path.values():
            names.append(operation["operationId"])
            assert operation["summary"]
            assert operation["description"]
            refused = {status: body for status, body in operation["responses"].items() if int(status) >= 400}
            assert all(set(body["content"]) == {"application/problem+json"} for body in refused.values())
    assert len(names) == len(set(names))


def test_models_are_described() -> None:
    schemas = describe().openapi()["components"]["schemas"]

    assert "HTTPValidationError" not in schemas
    assert all(schema.get("description") for schema in schemas.values())
