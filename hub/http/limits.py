"""Limits the size of request bodies, by the declared length, or while a body without one is read."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.http.problems import TooLargeError, problem


class BodyLimit:
    """ASGI middleware that answers 413 to a larger body before the endpoint reads it."""

    def __init__(self, app: ASGIApp, *, limit_bytes: int) -> None:
        self.app = app
        self.limit_bytes = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared_length = Headers(scope=scope).get("content-length", "0")
        if not declared_length.isdecimal() or int(declared_length) > self.limit_bytes:
            await self._refuse(scope, receive, send)
            return
        messages: list[Message] = []
        size = 0
        if "transfer-encoding" in Headers(scope=scope):
            while True:
                message = await receive()
                messages.append(message)
                size += len(message.get("body", b""))
                if size > self.limit_bytes:
                    await self._refuse(scope, receive, send)
                    return
                if message["type"] != "http.request" or not message.get("more_body"):
                    break

        async def replay() -> Message:
            return messages.pop(0) if messages else await receive()

        await self.app(scope, replay, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        detail = f"The request body is larger than {self.limit_bytes // 1024} KiB: send less at a time"
        answer = problem(TooLargeError.status, TooLargeError.title, detail, TooLargeError.code,
                         headers={"Connection": "close"})  # fmt: skip
        await answer(scope, receive, send)
