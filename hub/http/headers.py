"""Middleware for headers: security headers on every answer, an ETag on JSON answers, no caching of personal data."""

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_DIRECTIVES = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
)
CONTENT_SECURITY_POLICY = "; ".join(_DIRECTIVES)
SECURITY = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
HSTS = "max-age=31536000"


class SecurityHeaders:
    """ASGI middleware that adds the security headers; HSTS only when the site is served over TLS."""

    def __init__(self, app: ASGIApp, *, tls: bool) -> None:
        self.app = app
        self.tls = tls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY.items():
                    headers.setdefault(name, value)
                if self.tls:
                    headers.setdefault("Strict-Transport-Security", HSTS)
                if scope["path"].startswith("/api/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self.app(scope, receive, add)


class Etags:
    """ASGI middleware that adds an ETag to successful JSON answers to GET, and answers 304 when the client has it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        known_etags = {etag.strip() for etag in Headers(scope=scope).get("if-none-match", "").split(",")}
        delayed_start: Message | None = None

        async def add_etag(message: Message) -> None:
            nonlocal delayed_start
            if message["type"] == "http.response.start" and _takes_etag(message):
                delayed_start = message
                return
            if delayed_start is not None and message["type"] == "http.response.body":
                start, delayed_start = delayed_start, None
                if not message.get("more_body"):
                    message = _with_etag(start, message, known_etags)
                await send(start)
            await send(message)

        await self.app(scope, receive, add_etag)


def _takes_etag(start: Message) -> bool:
    return start["status"] == 200 and Headers(raw=start["headers"]).get("content-type", "") == "application/json"


def _with_etag(start: Message, message: Message, known_etags: set[str]) -> Message:
    headers = MutableHeaders(scope=start)
    etag = f'"{hashlib.sha256(message["body"]).hexdigest()[:32]}"'
    headers["ETag"] = etag
    headers["Cache-Control"] = "private, no-cache"
    if etag not in known_etags and f"W/{etag}" not in known_etags:
        return message
    start["status"] = 304
    del headers["content-length"]
    del headers["content-type"]
    return {**message, "body": b""}
