"""Runs one copy of the hub's ingest in a process of its own: python -m bench.common.ingest_copy JOB.

It runs ``run_ingest`` as the worker does, with its own pool, and nothing else.
"""

import asyncio
import contextlib
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

from bench.common.sampler import sampled
from hub.clock import SystemClock
from hub.ingest.consumer import Limits
from hub.ingest.loop import run_ingest
from hub.observability.logs import configure_logs
from hub.postgres import db
from hub.settings import Settings


async def run(job: dict[str, Any]) -> None:
    """Runs until SIGTERM; prints the time, once, when it is ready."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    settings = Settings.model_construct(
        state_dir=Path(job["state"]),
        nats_url=job["nats_url"],
        nats_ca_file=Path(job["ca_file"]),
        nats_creds_file=Path(job["creds_file"]),
    )
    pool = await db.create_pool(job["database_url"])
    with contextlib.suppress(asyncio.CancelledError):
        await run_ingest(settings, pool, SystemClock(), limits=Limits(**job["limits"]), ready=_ready)
    await pool.close()


def _ready() -> None:
    print(json.dumps({"ready_at": time.time()}), flush=True)


def main() -> None:
    configure_logs()
    job = json.loads(sys.argv[1])
    with sampled(Path(job["profile"]) if job.get("profile") else None):
        asyncio.run(run(job))


if __name__ == "__main__":
    main()
