"""The web app's files over a real connection: compressed by Accept-Encoding, with headers that fit what is sent."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from hub.api.serve import Server
from hub.http import encodings
from hub.http.spa import WebApp
from support.servers.api import Api
from support.waiting import PATIENCE_S

PLAIN, BROTLI, GZIP = b"export {}" * 400, b"as brotli" * 9, b"as gzip, which is longer" * 9
PAGE = b"<!doctype html><title>Peerwatt</title>"
SCRIPT = "/assets/app-1a2b.js"


@pytest.fixture
async def client(api: Api, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client that sends only the headers it is told, on a hub that listens."""
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    for name, content in ((SCRIPT, PLAIN), ("/index.html", PAGE)):
        file = folder / name.lstrip("/")
        file.write_bytes(content)
        Path(f"{file}.br").write_bytes(BROTLI)
        Path(f"{file}.gz").write_bytes(GZIP)
    (folder / "favicon.svg").write_bytes(b"<svg/>")
    api.app.router.default = WebApp(folder)
    server = Server(uvicorn.Config(api.app, port=0, log_config=None, lifespan="off"), api.app)
    running = asyncio.create_task(server.serve())
    async with asyncio.timeout(PATIENCE_S):
        await server.ready.wait()
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        client.headers.clear()
        yield client
    server.should_exit = True
    async with asyncio.timeout(PATIENCE_S):
        await running


async def raw(
    client: httpx.AsyncClient, path: str, method: str = "GET", **headers: str
) -> tuple[httpx.Response, bytes]:
    """The response and the bytes of its body as they came, not decompressed."""
    wanted = {name.replace("_", "-"): value for name, value in headers.items()}
    async with client.stream(method, path, headers=wanted) as response:
        return response, b"".join([piece async for piece in response.aiter_raw()])


ACCEPTS = {
    "gzip, deflate, br, zstd": "br", "gzip, deflate": "gzip", "br;q=0, gzip": "gzip", "*": "br", "identity": None,
    "gzip;q=0, br;q=0": None, "*;q=0": None,
}  # fmt: skip


@pytest.mark.parametrize("path", [SCRIPT, "/", "/trades/abc"])
async def test_a_file_is_sent_in_the_coding_that_the_client_takes(client: httpx.AsyncClient, path: str) -> None:
    for accepts, coding in ACCEPTS.items():
        response, body = await raw(client, path, accept_encoding=accepts)

        plain = PLAIN if path == SCRIPT else PAGE
        assert response.status_code == 200
        assert response.headers.get("content-encoding") == coding, accepts
        assert body == {"br": BROTLI, "gzip": GZIP, None: plain}[coding]
        assert response.headers["content-length"] == str(len(body))
        assert response.headers["vary"] == "Accept-Encoding"
        assert response.headers["content-type"].startswith("text/javascript" if path == SCRIPT else "text/html")
        assert ("immutable" in response.headers["cache-control"]) is (path == SCRIPT)


async def test_without_accept_encoding_the_file_is_plain(client: httpx.AsyncClient) -> None:
    response, body = await raw(client, SCRIPT)

    assert body == PLAIN
    assert "content-encoding" not in response.headers


async def test_a_file_without_compressed_copies_is_plain_and_does_not_vary(client: httpx.AsyncClient) -> None:
    response, body = await raw(client, "/favicon.svg", accept_encoding="br, gzip")

    assert body == b"<svg/>"
    assert {"content-encoding", "vary"}.isdisjoint(response.headers)


async def test_each_coding_has_its_own_etag_and_is_not_sent_twice(client: httpx.AsyncClient) -> None:
    etags = {}
    for coding in ("br", "gzip", "identity"):
        response, _ = await raw(client, SCRIPT, accept_encoding=coding)
        etags[coding] = response.headers["etag"]
        again, body = await raw(client, SCRIPT, accept_encoding=coding, if_none_match=f'"other", {etags[coding]}')
        assert (again.status_code, body, again.headers["etag"]) == (304, b"", etags[coding])
        assert again.headers["vary"] == "Accept-Encoding"
        assert "immutable" in again.headers["cache-control"]
    assert len(set(etags.values())) == 3

    response, body = await raw(client, SCRIPT, accept_encoding="br", if_none_match=etags["gzip"])
    assert (response.status_code, body) == (200, BROTLI)


async def test_head_tells_what_get_would_send(client: httpx.AsyncClient) -> None:
    for accepts, size in (("br", len(BROTLI)), ("gzip", len(GZIP)), ("identity", len(PLAIN))):
        head, body = await raw(client, SCRIPT, "HEAD", accept_encoding=accepts)
        got, _ = await raw(client, SCRIPT, accept_encoding=accepts)

        assert body == b""
        assert head.headers["content-length"] == str(size)
        different = {name for name in got.headers if name != "date" and got.headers[name] != head.headers.get(name)}
        assert different == set()


async def test_a_range_is_of_the_bytes_that_are_sent(client: httpx.AsyncClient) -> None:
    response, body = await raw(client, SCRIPT, accept_encoding="gzip", range="bytes=3-6")

    assert (response.status_code, body) == (206, GZIP[3:7])
    assert response.headers["content-range"] == f"bytes 3-6/{len(GZIP)}"
    assert response.headers["content-encoding"] == "gzip"


async def test_compressed_copies_have_no_address_of_their_own(client: httpx.AsyncClient) -> None:
    response, body = await raw(client, f"{SCRIPT}.br")
    assert response.status_code == 404
    assert BROTLI not in body

    response, body = await raw(client, "/index.html.gz")
    assert body == PAGE


async def test_an_unknown_file_and_the_api_are_sent_plain(client: httpx.AsyncClient) -> None:
    for path in ("/assets/app-old.js", "/api/v1/nothing"):
        response, _ = await raw(client, path, accept_encoding="br, gzip")
        assert response.status_code == 404
        assert response.headers["content-type"] == "application/problem+json"
        assert "content-encoding" not in response.headers


@pytest.mark.parametrize(
    ("accept_encoding", "coding"),
    [
        ("", None), ("BR", "br"), ("x-gzip", "gzip"), ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("gzip ; q=0.5 , br ; q=0.5", "br"),
        ("identity;q=1, gzip;q=0.5", None), ("*;q=0.3, br;q=0", "gzip"), ("gzip;q=much", None), ("zstd, deflate", None),
        ("identity;q=0", None), ("identity;q=0, *", "br"), (";;, ,gzip", "gzip"),
    ],
)  # fmt: skip
def test_the_best_liked_coding_is_chosen(accept_encoding: str, coding: str | None) -> None:
    assert encodings.choose(accept_encoding, ("gzip", "br")) == coding


def test_only_what_is_there_is_chosen() -> None:
    assert encodings.choose("br, gzip;q=0.1", ("gzip",)) == "gzip"
    assert encodings.choose("br, gzip", ()) is None
