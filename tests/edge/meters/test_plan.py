"""Read plans: they cover what is wanted, within the limits of meter and bus."""

from hypothesis import given
from hypothesis import strategies as st

from edge.meters.endpoints import parse_endpoint
from edge.meters.plan import Block, WireCost, plan_blocks
from edge.meters.profile import load_profile, profile_names

TCP = WireCost(10_000, 10)
SDM = load_profile("sdm630")


def test_plans_stay_within_the_meter_s_rules() -> None:
    assert plan_blocks(SDM, ["16.7.0"], TCP) == (Block("input", 0x34, 24),)
    everything = plan_blocks(SDM, [quantity.obis for quantity in SDM.quantities], TCP)
    assert everything == (Block("input", 0, 76),)
    slow = WireCost.of(parse_endpoint("rtu:///x?baud=9600"), load_profile("sdm120"))
    assert plan_blocks(load_profile("sdm120"), ["16.7.0"], slow) == (Block("input", 12, 2), Block("input", 72, 4))


@given(
    st.sampled_from(profile_names()),
    st.lists(st.sampled_from(["16.7.0", "14.7.0", "32.7.0", "52.7.0", "72.7.0"])),
    st.data(),
)
def test_every_plan_covers_what_is_wanted_and_no_two_blocks_look_alike(
    name: str, quantities: list[str], data: st.DataObject
) -> None:
    profile = load_profile(name)
    blocks = plan_blocks(
        profile, quantities, WireCost(data.draw(st.integers(1, 200_000)), data.draw(st.integers(1, 10_000)))
    )
    wanted = [profile.import_wh, *(q for q in profile.quantities if q.obis in quantities)]
    for register in [*wanted, profile.export_wh]:
        assert register is not None and any(
            block.address <= register.address and register.address + register.count <= block.address + block.count
            for block in blocks
        )
    assert len({block.count for block in blocks}) == len(blocks)
    assert all(block.count <= profile.max_registers for block in blocks)
    if profile.pairs_only:
        assert all(block.address % 2 == 0 == block.count % 2 for block in blocks)


def test_no_request_covers_a_barrier() -> None:
    profile = SDM.model_copy(update={"barriers": (0x40,)})
    assert plan_blocks(profile, ["16.7.0"], TCP) == (Block("input", 0x34, 2), Block("input", 0x48, 4))


def test_a_block_is_not_moved_in_front_of_the_first_register() -> None:
    profile = SDM.model_copy(
        update={"import_wh": SDM.import_wh.model_copy(update={"address": 0}), "hole_max": 0, "pairs_only": False}
    )
    export = SDM.import_wh.model_copy(update={"address": 1000})
    both = profile.model_copy(update={"export_wh": export})
    assert plan_blocks(both, [], TCP) == (Block("input", 0, 2), Block("input", 999, 3))
    late = profile.model_copy(
        update={"import_wh": export, "export_wh": SDM.import_wh.model_copy(update={"address": 0})}
    )
    assert plan_blocks(late, [], TCP) == (Block("input", 0, 2), Block("input", 999, 3))
    twice = both.model_copy(update={"quantities": (SDM.quantities[0].model_copy(
        update={"address": 0, "function": "holding"}),)})  # fmt: skip
    assert plan_blocks(twice, ["16.7.0"], TCP) == (
        Block("holding", 0, 2), Block("input", 0, 2), Block("input", 999, 3),
    )  # fmt: skip


def test_the_time_on_a_serial_line_is_counted_in_bits() -> None:
    """20 bytes without data and two silences, 10 ms to turn around; two bytes a register."""
    profile = SDM.model_copy(update={"silence_ms": 5})
    for parameters, byte_us in (("", 10 * 1_000_000 // 9600), ("&parity=E", 11 * 1_000_000 // 9600),
                                ("&stopbits=2", 11 * 1_000_000 // 9600)):  # fmt: skip
        cost = WireCost.of(parse_endpoint(f"rtu:///x?baud=9600{parameters}"), profile)
        assert cost == WireCost(20 * byte_us + 5_000 + 10_000, 2 * byte_us)
    assert WireCost.of(parse_endpoint("tcp://h"), profile) == TCP
    assert TCP.cost_us([Block("input", 0, 3), Block("input", 9, 1)]) == 20_040
