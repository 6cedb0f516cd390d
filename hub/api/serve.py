"""`peerwatt-hub serve`: serves the API with the web app on one listener, gateways on another with TLS."""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
from collections.abc import Iterator

import structlog
import uvicorn
from fastapi import FastAPI

from hub.api.app import create_app, create_device_app
from hub.clock import SystemClock
from hub.errors import ConfigError
from hub.keys import refuse_demo_keys
from hub.live.event_feed import EventFeed
from hub.observability.logs import configure_logs
from hub.postgres import db
from hub.settings import Settings, add_config_argument, load_settings

log = structlog.get_logger()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_argument(parser)


def run(args: argparse.Namespace) -> None:
    configure_logs()
    asyncio.run(_serve(load_settings(args.config)))


async def _serve(settings: Settings) -> None:
    refuse_demo_keys(settings.keys_dir, demo=settings.demo)
    if settings.web_socket_fd is None:
        web = _listen(settings.web_host, settings.web_port, "PEERWATT_HUB_WEB_PORT")
    else:
        web = socket.socket(fileno=settings.web_socket_fd)
    devices = _device_listener(settings)
    pool = await db.create_pool(settings.database_url.get_secret_value(), size=12)
    try:
        await db.check_schema(pool)
        await _serve_from(settings, pool, web, devices)
    finally:
        await pool.close()


def _device_listener(settings: Settings) -> socket.socket | None:
    """Opens the listener for gateways; returns None without a certificate, as a gateway would wait there for ever."""
    if settings.device_tls_cert is None:
        log.warning("gateways can not enrol here", reason="set PEERWATT_HUB_DEVICE_TLS_CERT and _KEY to let them")
        return None
    if settings.device_socket_fd is not None:
        return socket.socket(fileno=settings.device_socket_fd)
    return _listen(settings.device_host, settings.device_port, "PEERWATT_HUB_DEVICE_PORT")


async def _serve_from(settings: Settings, pool: db.Pool, web: socket.socket, devices: socket.socket | None) -> None:
    clock = SystemClock()
    servers = [(_server(create_app(settings, pool, clock)), web)]
    if devices is not None:
        servers.append((_server(create_device_app(settings, pool, clock), settings), devices))
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, _stop, [server for server, _ in servers])
    async with asyncio.TaskGroup() as group:
        for server, listener in servers:
            group.create_task(server.serve(sockets=[listener]))
        for server, _ in servers:
            await server.ready.wait()
        print(json.dumps({"ready": True, "web": web.getsockname(), "devices": devices and devices.getsockname()}),
              flush=True)  # fmt: skip


class Server(uvicorn.Server):
    """One of two uvicorn servers in a process; the process handles signals for both."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends live streams first, which have no end of their own; the server waits for open answers."""
        self._app.state.parts[EventFeed].end_streams()
        await super().shutdown(sockets)


def _stop(servers: list[Server]) -> None:
    for server in servers:
        server.should_exit = True


def _listen(host: str, port: int, setting: str) -> socket.socket:
    try:
        listener = socket.create_server((host, port), reuse_port=False, backlog=256)
        # asyncio turns Nagle's algorithm off only for sockets that name their protocol, as one made from its file does
        return socket.socket(fileno=listener.detach())
    except OSError as error:
        raise ConfigError(
            f"Can not listen on {host}:{port} ({os.strerror(error.errno or 0)}): "
            f"stop what uses the port, or set {setting} to another"
        ) from error


def _server(app: FastAPI, tls: Settings | None = None) -> Server:
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
        limit_concurrency=1024,
        ssl_certfile=None if tls is None else str(tls.device_tls_cert),
        ssl_keyfile=None if tls is None or tls.device_tls_key is None else str(tls.device_tls_key),
    )
    return Server(config, app)
