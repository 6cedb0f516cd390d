"""The toolchain's pure parts: LLVM IR rewritten for the target, IDLs put into the form that anchorpy reads."""

import hashlib
import json

import pytest
from idl import IdlError, legacy, parse
from ir_rewrite import rewrite

from support.programs.svm import NAMES, ROOT

DEPLOY = ROOT / "programs/deploy"
RUNTIME = "; Arithmetic that\n\ndefine internal i64 @__sbf_sdiv_i64(i64 %a, i64 %b) {\n  ret i64 %a\n}\n"


def test_the_programs_are_those_of_the_committed_hashes() -> None:
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in DEPLOY.glob("*.so")}
    lines = (DEPLOY / "SHA256SUMS").read_text().splitlines()
    assert found == {name: digest for digest, name in (line.split() for line in lines)}
    assert {f"{name}.so" for name in NAMES} <= set(found)


def body(*lines: str) -> str:
    """A function with these instructions."""
    return "\n".join(
        ["define i64 @f(i64 %a, i64 %b) #0 {", *(f"  {line}" for line in lines), "}", "attributes #0 = { cold }"]
    )


def test_signed_division_becomes_a_call_and_the_runtime_comes_along() -> None:
    text = rewrite(body("%r = sdiv i64 %a, %b"), RUNTIME).text
    assert "%r = call i64 @__sbf_sdiv_i64(i64 %a, i64 %b)" in text
    assert "define internal i64 @__sbf_sdiv_i64" in text


@pytest.mark.parametrize("line", ["%r = udiv i64 %a, %b", "%r = shl i128 %x, 3", "%r = mul nuw i64 %a, %b"])
def test_what_the_backend_compiles_stays(line: str) -> None:
    assert f"  {line}" in rewrite(body(line), RUNTIME).text


def test_a_function_with_six_arguments_is_inlined() -> None:
    wide = "define i64 @wide(" + ", ".join(f"i64 %a{n}" for n in range(6)) + ") #0 {\n  ret i64 0\n}\n"
    call = "%r = call i64 @wide(" + ", ".join(f"i64 {n}" for n in range(6)) + ") #0"
    text = rewrite(wide + body(call), RUNTIME).text
    assert "%a5) #1 {" in text
    assert "attributes #1 = { alwaysinline }" in text
    assert "attributes #2 = {  }" in text


def test_floating_point_is_named_with_its_function() -> None:
    assert rewrite(body("%c = fcmp oeq double %x, %y"), RUNTIME).problems == ["f: %c = fcmp oeq double %x, %y"]


def test_the_hash_seed_becomes_a_constant() -> None:
    seed = "@_RandomState3new4KEYSx = internal thread_local global i64 7, align 8"
    text = rewrite(seed + "\n" + body("store i64 1, ptr @_RandomState3new4KEYSx, align 8"), RUNTIME).text
    assert "internal thread_local constant i64 0, align 8" in text
    assert "store" not in text


def section(kind: str, value: object) -> str:
    """As Anchor's tests print it."""
    return f"--- IDL begin {kind} ---\n{json.dumps(value)}\n--- IDL end {kind} ---\n"


def printed(discriminator: list[int] | None = None) -> str:
    """What the tests of a program with one instruction print."""
    own = list(hashlib.sha256(b"global:set_rate").digest()[:8])
    args = [{"name": "price_mills", "type": "u32"}, {"name": "of", "type": {"option": "pubkey"}}]
    instruction = {"name": "set_rate", "discriminator": discriminator or own, "accounts": [], "args": args}
    program = {"address": "", "metadata": {"name": "demo", "version": "1"}, "instructions": [instruction]}
    return section("address", "Demo1111") + section("program", program) + section("errors", [{"code": 6000}])


def test_names_become_camel_case_and_types_the_older_ones() -> None:
    form = legacy(parse(printed()))
    (instruction,) = form["instructions"]
    assert instruction["name"] == "setRate"
    assert instruction["args"][0] == {"name": "priceMills", "type": "u32"}
    assert instruction["args"][1]["type"] == {"option": "publicKey"}
    assert form["metadata"] == {"address": "Demo1111"}
    assert form["errors"] == [{"code": 6000}]


def test_a_discriminator_of_its_own_is_refused() -> None:
    with pytest.raises(IdlError, match="set_rate has a discriminator of its own"):
        legacy(parse(printed([0] * 8)))


def test_output_without_a_program_says_what_to_do() -> None:
    with pytest.raises(IdlError, match="run them without the pipe"):
        parse("error: could not compile")
