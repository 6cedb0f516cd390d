"""All Prometheus metrics of the hub's worker. They are declared here only, so that dashboards can be checked."""

import contextlib
from collections.abc import Iterator

from prometheus_client import Counter, Gauge, Histogram, start_http_server

from hub.errors import ConfigError

FRAMES = Counter("peerwatt_ingest_frames_total", "Frames taken from the stream", ["outcome"])
"""outcome: stored, duplicate, refused"""

READINGS = Counter("peerwatt_ingest_readings_total", "Readings stored")

QUARANTINED = Counter("peerwatt_ingest_quarantined_total", "Messages and records refused", ["code"])

WAITING = Gauge("peerwatt_ingest_waiting_frames", "Frames with readings whose meter is not declared and assigned yet")

RELEASED = Counter("peerwatt_ingest_released_readings_total", "Readings that waited for their meter and were stored")

BATCH_SECONDS = Histogram(
    "peerwatt_ingest_batch_seconds",
    "Time from a batch in memory to its commit",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)

PUBLISH_TO_STORED_SECONDS = Histogram(
    "peerwatt_ingest_publish_to_stored_seconds",
    "Time from JetStream's acknowledgement to the commit, of each batch's oldest frame",
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 30),
)

RETRIES = Counter("peerwatt_ingest_retries_total", "Batches tried again after a database or network error")

HEARTBEATS = Counter("peerwatt_ingest_beats_total", "Heartbeats of gateways", ["outcome"])
"""outcome: kept, refused"""

RECEIPTS = Counter("peerwatt_ingest_receipts_total", "Signed receipts sent", ["occasion"])
"""occasion: stored, beat"""

NODE_BREAKER = Gauge("peerwatt_chain_node_breaker", "Whether calls to an RPC node go out", ["node"])
"""0 closed: calls go out; 1 half open: one call, as a probe; 2 open: none"""

NODE_FAILURES = Counter("peerwatt_chain_node_failures_total", "Calls that an RPC node did not answer", ["node"])

NODES_DISAGREE = Counter("peerwatt_chain_nodes_disagree_total", "No quorum of the RPC nodes agreed", ["about"])
"""about: finality, contents"""

PRIORITY_FEE = Gauge("peerwatt_chain_priority_fee_micro_lamports", "Offered per compute unit for the last interval")

PRIORITY_FEE_WANTED = Gauge(
    "peerwatt_chain_priority_fee_wanted_micro_lamports", "What others paid lately, without our cap"
)


@contextlib.contextmanager
def served(port: int) -> Iterator[None]:
    """Serves the process's metrics on loopback while the block runs; port 0 serves nothing.

    Raises:
        ConfigError: the port is taken.
    """
    if port == 0:
        yield
        return
    try:
        server, thread = start_http_server(port, "127.0.0.1")
    except OSError as error:
        raise ConfigError(
            f"Metrics can not be served on 127.0.0.1:{port} ({error.strerror}): "
            "set PEERWATT_HUB_METRICS_PORT to another port, or to 0"
        ) from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
