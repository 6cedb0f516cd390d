"""Serves the built web app: its files, index.html at paths of its router, a problem at unknown API paths."""

from pathlib import Path

from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from hub.http.problems import problem, unknown_path

STATIC = Path(__file__).parents[1] / "static"
FOREVER = "public, max-age=31536000, immutable"
"""For files whose name holds a hash of their content."""


class WebApp:
    """The ASGI app for every path without a route."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._folder = folder.resolve()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._answer(scope["method"], scope["path"])(scope, receive, send)

    def _answer(self, method: str, path: str) -> Response:
        if path == "/api" or path.startswith("/api/"):
            return unknown_path(path)
        if method not in {"GET", "HEAD"}:
            return problem(405, "Method not allowed", f"{method} is not possible at {path[:200]}", "method_not_allowed",
                           headers={"Allow": "GET, HEAD"})  # fmt: skip
        file = self._file(path)
        if file is not None:
            has_hash = path.startswith("/assets/")
            return FileResponse(file, headers={"Cache-Control": FOREVER if has_hash else "no-cache"})
        index = self._folder / "index.html"
        if path.startswith("/assets/"):
            return problem(404, "Not found", f"There is no file {path[:200]}: load the page again", "not_found")
        if index.is_file():
            return FileResponse(index, headers={"Cache-Control": "no-cache"})
        return PlainTextResponse(
            "The web app is not built: run `make web`. The API is at /api/v1/openapi.json.\n", status_code=503
        )

    def _file(self, path: str) -> Path | None:
        if "\0" in path:
            return None
        file = (self._folder / path.lstrip("/")).resolve()
        return file if file.is_relative_to(self._folder) and file.is_file() else None
