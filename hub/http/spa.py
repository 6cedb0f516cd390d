"""Serves the built web app: its files, compressed where the build and the client allow it; index.html at paths of its
router; a problem at unknown API paths."""

from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.staticfiles import NotModifiedResponse
from starlette.types import Receive, Scope, Send

from hub.http import encodings
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
            response = self._answer(scope["method"], scope["path"], Headers(scope=scope))
            await response(scope, receive, send)

    def _answer(self, method: str, path: str, request: Headers) -> Response:
        if path == "/api" or path.startswith("/api/"):
            return unknown_path(path)
        if method not in {"GET", "HEAD"}:
            return problem(405, "Method not allowed", f"{method} is not possible at {path[:200]}", "method_not_allowed",
                           headers={"Allow": "GET, HEAD"})  # fmt: skip
        has_hash = path.startswith("/assets/")
        file = self._file(path)
        if file is not None:
            return _file_response(file, request, FOREVER if has_hash else "no-cache")
        if has_hash:
            return problem(404, "Not found", f"There is no file {path[:200]}: load the page again", "not_found")
        index = self._folder / "index.html"
        if index.is_file():
            return _file_response(index, request, "no-cache")
        return PlainTextResponse(
            "The web app is not built: run `make web`. The API is at /api/v1/openapi.json.\n", status_code=503
        )

    def _file(self, path: str) -> Path | None:
        """Returns the file of this path; None when there is none, or it is only the compressed copy of another one."""
        if "\0" in path or path.endswith(tuple(encodings.SUFFIXES.values())):
            return None
        file = (self._folder / path.lstrip("/")).resolve()
        return file if file.is_relative_to(self._folder) and file.is_file() else None


def _file_response(file: Path, request: Headers, cache_control: str) -> Response:
    """Answers with the file or a compressed copy of it, or with 304 when the client has that one already.

    Each copy has its own ETag, and a Range is of the copy that is sent (RFC 9110, sections 8.8.3 and 14.2).
    """
    copies = {name: Path(f"{file}{suffix}") for name, suffix in encodings.SUFFIXES.items()}
    available = [name for name, copy in copies.items() if copy.is_file()]
    coding = encodings.choose(",".join(request.getlist("accept-encoding")), available)
    sent = file if coding is None else copies[coding]
    headers = {"Cache-Control": cache_control}
    if available:
        headers["Vary"] = "Accept-Encoding"
    if coding is not None:
        headers["Content-Encoding"] = coding
    media_type = FileResponse(file).media_type
    response = FileResponse(sent, headers=headers, media_type=media_type, stat_result=sent.stat())
    return NotModifiedResponse(response.headers) if _is_known(response.headers["etag"], request) else response


def _is_known(etag: str, request: Headers) -> bool:
    """Whether If-None-Match names this file (RFC 9110, section 13.1.2: weak comparison)."""
    tags = [tag.strip().removeprefix("W/") for tag in request.get("if-none-match", "").split(",")]
    return etag in tags or "*" in tags
