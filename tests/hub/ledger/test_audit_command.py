"""The flags of `peerwatt-hub ledger verify` and `export`, and their twins in the environment."""

import os

import pytest
from solders.hash import Hash
from solders.keypair import Keypair

from hub.cli import build_parser


def parsed(*arguments: str) -> dict[str, object]:
    """The flags of a command as it gets them."""
    return {name: value for name, value in vars(build_parser().parse_args(arguments)).items() if name != "usage_error"}


def test_a_twin_in_the_environment_means_what_its_flag_means(monkeypatch: pytest.MonkeyPatch) -> None:
    auditor, genesis = str(Keypair().pubkey()), str(Hash.new_unique())
    arguments = ["--no-execute", "--programs", "more", "--genesis-hash", genesis, "--auditor", auditor]
    verify = parsed("ledger", "verify", "log", *arguments, "--countersignature", "a", "--countersignature", "b")
    export = parsed("ledger", "export", "log", "--out", "log.jsonl")
    twins = {
        "STATE": "log", "NO_EXECUTE": "1", "PROGRAMS": "more", "GENESIS_HASH": genesis, "AUDITOR": auditor,
        "COUNTERSIGNATURES": f"a{os.pathsep}b", "OUT": "log.jsonl",
    }  # fmt: skip
    for name, value in twins.items():
        monkeypatch.setenv(f"PEERWATT_LEDGER_{name}", value)
    assert parsed("ledger", "verify") | {"state": verify["state"]} == verify
    assert parsed("ledger", "export") | {"state": export["state"]} == export


def test_a_twin_that_is_no_key_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEERWATT_LEDGER_AUDITOR", "nobody")
    with pytest.raises(SystemExit) as caught:
        build_parser().parse_args(["ledger", "verify", "log"])
    assert caught.value.code == 2
