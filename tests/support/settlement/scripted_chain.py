"""A chain that says of transactions what a test has written down, for the steps of a settlement."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from solders.keypair import Keypair

from hub.chain.errors import TransactionFailedError
from hub.chain.transaction_outcome import SentTransaction, Status, TransactionOutcome
from hub.chain.transactions import SignedTransaction


def outcome(
    status: Status | None = None, *, expired: bool = False, known: bool = True, disputed: bool = False
) -> TransactionOutcome:
    return TransactionOutcome(status, expired, known, disputed, "what the nodes say")


CONFIRMED, FINAL = (outcome(Status(5, "confirmed", None)), outcome(Status(5, "finalized", None)))
REFUSED = TransactionFailedError("refused on the chain")
UNKNOWN, GONE, EXPIRED = outcome(known=False), outcome(), outcome(expired=True)


@dataclass
class ScriptedChain:
    """Signs, takes transactions, and says of the first one what the script holds; then all are final."""

    script: list[TransactionOutcome] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    signed: list[bytes] = field(default_factory=list)
    prices: set[int] = field(default_factory=set)
    refusal: Exception | None = None
    send_error: Exception | None = None

    async def prepare(self, _: Sequence[Any], signers: Sequence[Keypair], **options: Any) -> Any:
        if self.refusal is not None:
            raise self.refusal
        raw = b"transaction %d" % len(self.signed)
        self.signed.append(raw)
        self.prices.add(options["price_micro_lamports"])
        return SignedTransaction(signers[0].sign_message(raw), raw, 70 + len(self.signed), 1)

    async def send(self, raw: bytes, *, preflight: bool) -> None:
        assert not preflight
        self.sent.append(raw)
        if self.send_error is not None:
            raise self.send_error

    async def outcomes(self, sent: Sequence[SentTransaction]) -> list[TransactionOutcome]:
        return [self._outcome() for _ in sent]

    def _outcome(self) -> TransactionOutcome:
        return self.script.pop(0) if self.script else FINAL

    async def compute_units(self, _: object) -> int:
        return 1_234
