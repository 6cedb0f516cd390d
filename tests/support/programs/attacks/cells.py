"""Generates every attack on a call: other signers, other accounts, other arguments, other times."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM

from support.programs.account_fields import put_field
from support.programs.attacks.arguments import Argument, arguments
from support.programs.attacks.kinds import PROGRAM, SYSVAR, kind_of, same_owner
from support.programs.attacks.scene import Call
from support.programs.attacks.shapes import Shape, Slot
from support.programs.attacks.world import ANOTHER, ANOTHERS, World
from support.programs.campus_chain import PAUSE
from support.programs.svm import PROGRAM_IDS, deterministic_key

LATER_S = 400 * 86_400
"""Longer than anything waits, the time lock's year included."""
SPL_TOKEN = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
FREE = deterministic_key("free").pubkey()
FAKE = deterministic_key("fake").pubkey()
STRANGERS_PROGRAM = deterministic_key("stranger's program").pubkey()
CALL = "call"

Prepare = Callable[[World], object]


@dataclass(frozen=True, order=True)
class Place:
    """Where an attack stands in the matrix."""

    part: str
    """accounts, arguments or call."""
    row: str
    column: str


@dataclass(frozen=True)
class Attack:
    """A changed call."""

    place: Place
    instruction: Instruction
    prepare: Prepare = lambda _: None
    """Prepares the world before the call."""


@dataclass(frozen=True)
class Cells:
    """Generates the attacks on a call."""

    world: World
    shape: Shape
    call: Call
    created: dict[Pubkey, str | None]
    """Kinds of the accounts that the call brings into being."""

    def attacks(self) -> list[Attack]:
        """All of them, in the order of accounts and arguments."""
        found = [*self._on_accounts(), *self._on_arguments(), *self._on_the_call()]
        places = [attack.place for attack in found]
        assert len(places) == len(set(places)), f"{self.shape.title}: two attacks in one place"
        return found

    # Accounts ----------------------------------------------------------------------------------------------------

    def _slots(self) -> list[Slot]:
        behind = self.call.instruction.accounts[len(self.shape.slots) :]
        assert len(behind) == len(self.call.more), f"{self.shape.title}: name the accounts behind the IDL's"
        more = [Slot(name, meta.is_signer) for name, meta in zip(self.call.more, behind, strict=True)]
        return [*self.shape.slots, *more]

    def _on_accounts(self) -> Iterator[Attack]:
        for index, slot in enumerate(self._slots()):
            meta = self.call.instruction.accounts[index]
            if slot.optional and meta.pubkey == PROGRAM_IDS[self.shape.program]:
                continue
            swaps = self._signers(meta) if meta.is_signer else self._accounts(slot, meta.pubkey)
            for column, changed, prepare in swaps:
                yield Attack(Place("accounts", slot.name, column), self._with(index, changed), prepare)
            if slot.optional:
                absent = AccountMeta(PROGRAM_IDS[self.shape.program], False, False)
                yield Attack(Place("accounts", slot.name, "left out"), self._with(index, absent))

        for label, addresses in self.call.together.items():
            yield Attack(Place("accounts", " + ".join(addresses), label), self._at(self.call.instruction, addresses))

    def _signers(self, meta: AccountMeta) -> Iterator[tuple[str, AccountMeta, Prepare]]:
        stranger, ben = self.world.stranger.pubkey(), deterministic_key("trader ben").pubkey()
        yield "stranger", AccountMeta(stranger, True, meta.is_writable), _nothing
        if meta.pubkey in self.world.participants and meta.pubkey != ben:
            yield ANOTHERS, AccountMeta(ben, True, meta.is_writable), _nothing
        yield "unsigned", AccountMeta(meta.pubkey, False, meta.is_writable), _nothing

    def _accounts(self, slot: Slot, address: Pubkey) -> Iterator[tuple[str, AccountMeta, Prepare]]:
        for column, other in self._others(slot, address).items():
            yield column, self._meta(address, other), _nothing
        stored = self.world.svm.get_account(address)
        if address in self.created:
            yield "free", self._meta(address, FREE), _nothing
            yield "prefunded", self._meta(address, address), lambda world: world.chain.drop_lamports_at(address)
        elif stored is None:
            yield "free", self._meta(address, FREE), _nothing
        elif stored.owner != SYSTEM and kind_of(self.world, address) not in {PROGRAM, SYSVAR}:
            fake = Account(stored.lamports, bytes(stored.data), STRANGERS_PROGRAM)
            yield "fake", self._meta(address, FAKE), lambda world: world.svm.set_account(FAKE, fake)

    def _others(self, slot: Slot, address: Pubkey) -> dict[str, Pubkey]:
        kind = self.created.get(address) or kind_of(self.world, address)
        found: dict[str, Pubkey] = {}
        if kind == PROGRAM:
            found[ANOTHER] = SPL_TOKEN
        elif kind is not None:
            for label, other in self.world.others:
                if other != address and kind_of(self.world, other) == kind:
                    found.setdefault(label, other)
            alien = None if address in self.created else self._alien(address, kind)
            if alien is not None:
                found["other type"] = alien
        twin = self._twin(address, kind)
        return found | ({"twin": twin} if twin else {}) | dict(self.call.others.get(slot.name, {}))

    def _twin(self, address: Pubkey, kind: str | None) -> Pubkey | None:
        """An account of the same type that has another place in the call."""
        for meta in self.call.instruction.accounts:
            known = self.created.get(meta.pubkey) or kind_of(self.world, meta.pubkey)
            if meta.pubkey != address and not meta.is_signer and known == kind and kind not in {None, PROGRAM, SYSVAR}:
                return meta.pubkey
        return None

    def _alien(self, address: Pubkey, kind: str) -> Pubkey | None:
        """Of another type; one that the call does not use already, if possible."""
        used = {meta.pubkey for meta in self.call.instruction.accounts}
        return same_owner(self.world, address, kind, used) or same_owner(self.world, address, kind, ())

    def _meta(self, old: Pubkey, new: Pubkey) -> AccountMeta:
        known = next(meta for meta in self.call.instruction.accounts if meta.pubkey == old)
        return AccountMeta(new, known.is_signer, known.is_writable)

    def _with(self, index: int, meta: AccountMeta) -> Instruction:
        old = self.call.instruction
        metas = [meta if place == index else known for place, known in enumerate(old.accounts)]
        return Instruction(old.program_id, old.data, metas)

    # Arguments ---------------------------------------------------------------------------------------------------

    def _on_arguments(self) -> Iterator[Attack]:
        data = bytes(self.call.instruction.data)
        for argument in arguments(self.shape, data):
            for column, value in argument.limits().items():
                changed = data[: argument.begin] + value + data[argument.end :]
                if changed != data:
                    yield Attack(Place("arguments", argument.path, column), self._addressed(argument, changed, value))

    def _addressed(self, argument: Argument, data: bytes, value: bytes) -> Instruction:
        """With the accounts at the addresses that follow from the argument, where the scene says so."""
        old, follow = self.call.instruction, self.call.addresses.get(argument.path)
        changed = Instruction(old.program_id, data, old.accounts)
        if follow is None:
            return changed
        read = replace(argument, end=argument.begin + len(value)).value(data)
        return self._at(changed, follow(read))

    def _at(self, ix: Instruction, addresses: Mapping[str, Pubkey]) -> Instruction:
        metas, names = list(ix.accounts), [slot.name for slot in self.shape.slots]
        for name, address in addresses.items():
            old = metas[names.index(name)]
            metas[names.index(name)] = AccountMeta(address, old.is_signer, old.is_writable)
        return Instruction(ix.program_id, bytes(ix.data), metas)

    # The call ----------------------------------------------------------------------------------------------------

    def _on_the_call(self) -> Iterator[Attack]:
        same, call = self.call.instruction, self.call
        yield Attack(Place(CALL, CALL, "replay"), same, lambda world: begin(world, call))
        yield Attack(Place(CALL, CALL, "stale"), same, lambda world: world.chain.advance(LATER_S))
        if call.start_s is not None:
            begun = call.start_s - 1
            yield Attack(Place(CALL, CALL, "future"), same, lambda world: world.chain.set_time(begun))
        if self.world.chain.exists(PAUSE):
            yield Attack(Place(CALL, CALL, "paused"), same, _pause)


def begin(world: World, call: Call) -> None:
    """The call itself, which succeeds."""
    outcome = world.play(*call.before, call.instruction, signers=call.signers)
    assert outcome.error is None, (outcome.error, outcome.logs)


def _nothing(_: World) -> None: ...


def _pause(world: World) -> None:
    put_field(world.chain, "governance", "Pause", PAUSE, "paused", value=True)
