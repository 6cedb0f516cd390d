"""JSON-RPC methods for slots, blocks, blockhashes and the node itself."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import structlog

from hub.ledger.bank import SLOTS_PER_EPOCH
from hub.ledger.chain import Chain
from hub.ledger.errors import LedgerDamagedError
from hub.ledger.recent import Commitment
from hub.ledger.results import base58
from hub.ledger.rpc.encoding import transaction_json
from hub.ledger.rpc.params import (
    API_VERSION,
    BLOCK_NOT_AVAILABLE,
    INTERNAL_ERROR,
    SLOT_SKIPPED,
    Params,
    RpcError,
    invalid,
    node_unhealthy,
)

log = structlog.get_logger()

MAX_SLOTS = 500_000
MAX_LEADERS = 5000
EPOCH_SCHEDULE = {
    "slotsPerEpoch": SLOTS_PER_EPOCH,
    "leaderScheduleSlotOffset": SLOTS_PER_EPOCH,
    "warmup": False,
    "firstNormalEpoch": 0,
    "firstNormalSlot": 0,
}


def require_genuine(chain: Chain, slot: int) -> None:
    """Checks a block before anything of it is answered.

    Raises:
        RpcError: the block was changed on disk.
    """
    try:
        chain.require_genuine(slot)
    except LedgerDamagedError as error:
        log.critical("a stored block was changed", slot=slot, error=str(error))
        raise RpcError(INTERNAL_ERROR, f"Internal error: {error}") from error


class BlockMethods:
    """Answers getSlot and the other methods for blocks and the node."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self.methods: dict[str, Callable[[Params], Any]] = {
            "getLatestBlockhash": self._latest_blockhash,
            "isBlockhashValid": self._is_blockhash_valid,
            "getSlot": self._slot,
            "getBlockHeight": self._height,
            "getBlock": self._block,
            "getBlockTime": self._block_time,
            "getBlocks": self._blocks,
            "getBlocksWithLimit": self._blocks_with_limit,
            "getFirstAvailableBlock": lambda _: 0,
            "minimumLedgerSlot": lambda _: 0,
            "getSlotLeader": lambda _: str(chain.authority.pubkey()),
            "getSlotLeaders": self._slot_leaders,
            "getEpochSchedule": lambda _: EPOCH_SCHEDULE,
            "getClusterNodes": self._cluster_nodes,
            "getVoteAccounts": lambda _: {"current": [], "delinquent": []},
            "getEpochInfo": self._epoch_info,
            "getGenesisHash": lambda _: str(chain.genesis_hash),
            "getIdentity": lambda _: {"identity": str(chain.authority.pubkey())},
            "getHealth": self._health,
            "getVersion": lambda _: {
                "solana-core": API_VERSION,
                "feature-set": 0,
                "peerwatt-ledger": version("peerwatt"),
            },
        }

    def _context(self) -> dict[str, Any]:
        return {"slot": self._chain.slot(), "apiVersion": API_VERSION}

    def _latest_blockhash(self, params: Params) -> Any:
        params.config(0)
        value, height = self._chain.latest_blockhash()
        return {"context": self._context(), "value": {"blockhash": str(value), "lastValidBlockHeight": height}}

    def _is_blockhash_valid(self, params: Params) -> Any:
        return {"context": self._context(), "value": self._chain.is_blockhash_valid(params.hash(0))}

    def _slot(self, params: Params) -> int:
        return self._chain.slot_for(params.config(0).commitment())

    def _height(self, params: Params) -> int:
        params.config(0).commitment()
        return self._chain.height()

    def _block(self, params: Params) -> Any:
        slot, config = params.integer(0, "a slot"), params.config(1)
        self._require_reached(slot, config.history())
        block = self._chain.repository.block(slot)
        if block is None:
            raise RpcError(SLOT_SKIPPED, f"Slot {slot} was skipped, or missing in long-term storage")
        require_genuine(self._chain, slot)
        detail = config.text("transactionDetails", "full")
        header = block.header
        value: dict[str, Any] = {
            "blockhash": str(type(self._chain.genesis_hash)(header.hash)),
            "previousBlockhash": str(type(self._chain.genesis_hash)(header.parent_hash)),
            "parentSlot": header.parent_slot,
            "blockHeight": self._chain.height_at(header.time_ms),
            "blockTime": header.time_ms // 1000,
        }
        if detail == "full":
            value["transactions"] = [transaction_json(stored, config) for stored in block.transactions]
        elif detail == "signatures":
            value["signatures"] = [base58(stored.signature) for stored in block.transactions]
        elif detail != "none":
            raise invalid("transactionDetails must be full, signatures or none")
        if config.flag("rewards", default=True):
            value["rewards"] = []
        return value

    def _block_time(self, params: Params) -> int:
        slot = params.integer(0, "a slot")
        self._require_reached(slot)
        block = self._chain.repository.block_at_or_before(slot)
        if block is None:
            raise RpcError(BLOCK_NOT_AVAILABLE, f"Block not available for slot {slot}")
        return (block.time_ms + (slot - block.slot) * 400) // 1000

    def _blocks(self, params: Params) -> list[int]:
        first = params.integer(0, "a slot")
        has_end = params.any(1) is not None and not isinstance(params.any(1), dict)
        last = params.integer(1, "a slot") if has_end else first + MAX_SLOTS
        commitment = params.config(2 if has_end else 1).history()
        last = min(last, self._chain.slot_for(commitment))
        if last - first > MAX_SLOTS:
            raise invalid(f"Slot range too large; max {MAX_SLOTS}")
        return self._chain.repository.slots(first, last, MAX_SLOTS)

    def _blocks_with_limit(self, params: Params) -> list[int]:
        first, limit = params.integer(0, "a slot"), params.integer(1, "a limit")
        if limit > MAX_SLOTS:
            raise invalid(f"Limit too large; max {MAX_SLOTS}")
        return self._chain.repository.slots(first, self._chain.slot_for(params.config(2).history()), limit)

    def _slot_leaders(self, params: Params) -> list[str]:
        params.integer(0, "a slot")
        limit = params.integer(1, "a limit")
        if not 0 < limit <= MAX_LEADERS:
            raise invalid(f"Invalid limit; max {MAX_LEADERS}")
        return [str(self._chain.authority.pubkey())] * limit

    def _cluster_nodes(self, _: Params) -> list[dict[str, Any]]:
        addresses = dict.fromkeys(("gossip", "tpu", "rpc", "pubsub", "featureSet", "shredVersion"))
        return [{"pubkey": str(self._chain.authority.pubkey()), "version": API_VERSION, **addresses}]

    def _require_reached(self, slot: int, commitment: Commitment = "processed") -> None:
        if slot > self._chain.slot_for(commitment):
            raise RpcError(BLOCK_NOT_AVAILABLE, f"Block not available for slot {slot}")

    def _epoch_info(self, params: Params) -> Any:
        slot = self._slot(params)
        return {
            "absoluteSlot": slot,
            "blockHeight": self._chain.height(),
            "epoch": slot // SLOTS_PER_EPOCH,
            "slotIndex": slot % SLOTS_PER_EPOCH,
            "slotsInEpoch": SLOTS_PER_EPOCH,
            "transactionCount": self._chain.transaction_count,
        }

    def _health(self, _: Params) -> str:
        if reason := self._chain.fault:
            raise node_unhealthy(reason)
        return "ok"
