"""A campus on chain, as every program test needs it: an authority set of three, a registrar, three attestors."""

from dataclasses import dataclass
from typing import Any

from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from support.programs.svm import Chain, Outcome, instruction, pda, program_type

INTERVAL_S = 900
TIME_LOCK_S = 48 * 3600
AUTHORITY = pda("governance", b"authority")
PARAMS = pda("governance", b"params")
PAUSE = pda("governance", b"pause")
REGISTRY = pda("registry", b"config")
ORACLE = pda("oracle", b"config")


def rate_set(effective_from_s: int = 0, **changes: int) -> Any:
    """The rates of the market's defaults, in mills per kWh."""
    rates = {
        "wheeling_mills": 100,
        "platform_mills": 25,
        "loss_mills": 5,
        "export_tariff_mills": 2200,
        "import_tariff_mills": 5000,
    }
    return program_type("governance", "RateSet")(effective_from_s=effective_from_s, **(rates | changes))


def set_pause(*, paused: bool) -> Any:
    """The action that stops new settlements, or allows them again."""
    return program_type("governance", "Action").SetPause((paused,))


def schedule_rates(rates: Any) -> Any:
    """The action that puts rates in force from their `effective_from_s`."""
    return program_type("governance", "Action").ScheduleRates((rates,))


def proposal_address(index: int) -> Pubkey:
    """Of proposal number `index`."""
    return pda("governance", b"proposal", index.to_bytes(8, "little"))


def interval_address(start: int, revision: int = 1) -> Pubkey:
    """Of an attested interval's revision."""
    return pda("oracle", b"interval", start.to_bytes(8, "little", signed=True), revision.to_bytes(2, "little"))


@dataclass
class Campus:
    """The chain with governance, registry and oracle founded, and the keys that act there."""

    chain: Chain
    validator: Keypair
    cosigners: tuple[Keypair, Keypair]
    registrar: Keypair
    attestors: tuple[Keypair, Keypair, Keypair]

    @property
    def members(self) -> list[Keypair]:
        """The authority set; two of the three decide."""
        return [self.validator, *self.cosigners]

    def found_governance(self, rates: Any = None, **changes: Any) -> Instruction:
        """Governance's `initialize`."""
        args = {
            "rec_validator": self.validator.pubkey(),
            "members": [member.pubkey() for member in self.members],
            "threshold": 2,
            "rates": rates or rate_set(),
            "time_lock_s": TIME_LOCK_S,
        } | changes
        return instruction(
            "governance",
            "initialize",
            *args.values(),
            **self.chain.founder_accounts("governance"),
            authority=AUTHORITY,
            params=PARAMS,
            pause=PAUSE,
        )

    def found_registry(self) -> Instruction:
        """Registry's `initialize`."""
        return instruction(
            "registry",
            "initialize",
            self.registrar.pubkey(),
            **self.chain.founder_accounts("registry"),
            authority=AUTHORITY,
            config=REGISTRY,
        )

    def found_oracle(self, *, threshold: int = 2, interval_s: int = INTERVAL_S, attestors: Any = None) -> Instruction:
        """Oracle's `initialize`."""
        return instruction(
            "oracle",
            "initialize",
            [key.pubkey() for key in (self.attestors if attestors is None else attestors)],
            threshold,
            interval_s,
            **self.chain.founder_accounts("oracle"),
            authority=AUTHORITY,
            config=ORACLE,
        )

    def propose(self, action: Any, member: Keypair | None = None, index: int | None = None) -> Instruction:
        """A member's proposal, by default the validator's, with the next number."""
        number = self.chain.account("governance", AUTHORITY).proposal_count if index is None else index
        return instruction(
            "governance",
            "propose",
            action,
            payer=self.chain.payer.pubkey(),
            member=(member or self.validator).pubkey(),
            authority=AUTHORITY,
            proposal=proposal_address(number),
        )

    def approve(self, index: int, member: Keypair) -> Instruction:
        """A member's approval of proposal `index`."""
        return instruction(
            "governance", "approve", member=member.pubkey(), authority=AUTHORITY, proposal=proposal_address(index)
        )

    def execute(self, index: int) -> Instruction:
        """The execution of proposal `index`."""
        return instruction(
            "governance", "execute", authority=AUTHORITY, proposal=proposal_address(index), params=PARAMS, pause=PAUSE
        )

    def decide(self, action: Any) -> Outcome:
        """Proposes, approves and executes; the outcome is the execution's."""
        index = self.chain.account("governance", AUTHORITY).proposal_count
        self.chain.ok(self.propose(action), signers=[self.validator])
        self.chain.ok(self.approve(index, self.cosigners[0]), signers=[self.cosigners[0]])
        return self.chain.send(self.execute(index))

    def pause(self, *, paused: bool = True) -> None:
        """Stops new settlements, or allows them again."""
        outcome = self.decide(set_pause(paused=paused))
        assert outcome.error is None, outcome.logs

    def register_participant(self, wallet: Keypair) -> Instruction:
        """A participant, with the registrar's and the wallet's consent."""
        return instruction(
            "registry",
            "register_participant",
            payer=self.chain.payer.pubkey(),
            config=REGISTRY,
            registrar=self.registrar.pubkey(),
            wallet=wallet.pubkey(),
            participant=pda("registry", b"participant", wallet.pubkey()),
        )

    def add_participant(self, wallet: Keypair) -> None:
        """Registers a participant."""
        self.chain.ok(self.register_participant(wallet), signers=[self.registrar, wallet])

    def register_gateway(self, gateway_id: str) -> Instruction:
        """A gateway."""
        return instruction(
            "registry",
            "register_gateway",
            gateway_id,
            payer=self.chain.payer.pubkey(),
            config=REGISTRY,
            registrar=self.registrar.pubkey(),
            gateway=pda("registry", b"gateway", gateway_id.encode()),
        )

    def add_gateway(self, gateway_id: str) -> None:
        """Registers a gateway."""
        self.chain.ok(self.register_gateway(gateway_id), signers=[self.registrar])

    def add_gateway_key(self, gateway_id: str, key: Pubkey, valid_from_s: int) -> Instruction:
        """A gateway's signing key."""
        return instruction(
            "registry",
            "add_gateway_key",
            key,
            valid_from_s,
            payer=self.chain.payer.pubkey(),
            config=REGISTRY,
            registrar=self.registrar.pubkey(),
            gateway=pda("registry", b"gateway", gateway_id.encode()),
            gateway_key=pda("registry", b"gateway_key", key),
        )

    def register_meter(self, meter_id: str, owner: Pubkey, gateway_id: str, **changes: Any) -> Instruction:
        """A bidirectional 10 kW meter."""
        args = {"kind": 3, "rated_power_w": 10_000, "serial_hash": list(bytes(32))} | changes
        return instruction(
            "registry",
            "register_meter",
            meter_id,
            *args.values(),
            payer=self.chain.payer.pubkey(),
            config=REGISTRY,
            registrar=self.registrar.pubkey(),
            participant=pda("registry", b"participant", owner),
            gateway=pda("registry", b"gateway", gateway_id.encode()),
            meter=pda("registry", b"meter", meter_id.encode()),
        )

    def attest(self, start: int, *, signers: Any = None, previous: int | None = None, **changes: Any) -> Instruction:
        """An attestation of the interval that starts at `start`, by the first two attestors."""
        first, *others = self.attestors[:2] if signers is None else signers
        args: dict[str, Any] = {
            "revision": 1,
            "merkle_root": list(bytes(range(32))),
            "meters_valid": 15,
            "meters_estimated": 0,
            "import_wh": 1_400,
            "export_wh": 1_000,
        } | changes
        return instruction(
            "oracle",
            "attest",
            start,
            *args.values(),
            payer=self.chain.payer.pubkey(),
            config=ORACLE,
            attestor=first.pubkey(),
            previous=None if previous is None else interval_address(start, previous),
            interval=interval_address(start, args["revision"]),
            remaining=[AccountMeta(key.pubkey(), True, False) for key in others],
        )

    def attested(self, start: int, **changes: Any) -> Pubkey:
        """Attests the interval, lets it end first, and gives its address."""
        self.chain.set_time(max(self.chain.now, start + INTERVAL_S))
        self.chain.ok(self.attest(start, **changes), signers=self.attestors[:2])
        return interval_address(start, changes.get("revision", 1))


def new_campus() -> Campus:
    """The keys, and nothing founded yet."""
    chain = Chain()
    return Campus(
        chain=chain,
        validator=chain.key("rec validator"),
        cosigners=(chain.key("cosigner 1"), chain.key("cosigner 2")),
        registrar=chain.key("registrar"),
        attestors=(chain.key("attestor 1"), chain.key("attestor 2"), chain.key("attestor 3")),
    )


def founded_campus() -> Campus:
    """A campus with governance, registry and oracle in place."""
    campus = new_campus()
    for ix in (campus.found_governance(), campus.found_registry(), campus.found_oracle()):
        campus.chain.ok(ix, signers=[campus.chain.upgrade_authority])
    return campus
