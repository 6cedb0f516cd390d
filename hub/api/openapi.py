"""`peerwatt-hub openapi`: prints the API's description, the same bytes for the same code.

The web client is generated from the checked-in copy.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from hub.http.problems import MEDIA_TYPE

CHECKED_IN = Path(__file__).with_name("openapi.json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--write",
        action="store_true",
        default=os.environ.get("PEERWATT_HUB_OPENAPI_WRITE") == "1",
        help=f"write {CHECKED_IN.name} instead of printing it (env: PEERWATT_HUB_OPENAPI_WRITE=1)",
    )


def run(args: argparse.Namespace) -> None:
    from hub.api.app import describe  # noqa: PLC0415 - that module imports document() from this one

    text = render(describe())
    if args.write:
        CHECKED_IN.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


def render(app: FastAPI) -> str:
    """Returns the description as JSON text, as it is checked in."""
    return json.dumps(document(app), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def document(app: FastAPI) -> dict[str, Any]:
    """Returns the application's OpenAPI 3.1 description, with every refusal as problem+json."""
    if app.openapi_schema is None:
        description = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes,
            openapi_version=app.openapi_version,
        )  # fmt: skip
        for path in description["paths"].values():
            for operation in path.values():
                _make_refusals_problems(operation)
        app.openapi_schema = description
    return app.openapi_schema


def _make_refusals_problems(operation: dict[str, Any]) -> None:
    for status, response in operation["responses"].items():
        content = response.get("content", {})
        if int(status) >= 400 and "application/json" in content:
            content[MEDIA_TYPE] = content.pop("application/json")
            content.pop("text/event-stream", None)
