"""Key files: made private, read strictly, and errors that say what to do."""

import json
import stat
from pathlib import Path

import pytest
from solders.keypair import Keypair

from hub.demo.chain import prepare_ledger
from hub.demo.state import State
from hub.keys import DEMO_MARK, DemoKeysError, KeyFileError, load, load_or_create
from hub.settlement.keys import SettlementKeys


def test_a_key_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "settler.json"
    key = load_or_create(path)
    assert load_or_create(path) == load(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["settler.json"]
    numbers = json.loads(path.read_text())
    assert Keypair.from_bytes(bytes(numbers)) == key


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key.json"
    load_or_create(path)
    path.chmod(mode)
    for read in (load, load_or_create):
        with pytest.raises(KeyFileError, match=f"chmod 600 {path}"):
            read(path)


@pytest.mark.parametrize("content", ["", "{}", "[1, 2]", json.dumps([256] * 64), json.dumps([0] * 64), "x" * 9000, "5"])
def test_what_is_no_key_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key.json"
    path.touch(mode=0o600)
    path.write_text(content)
    with pytest.raises(KeyFileError, match="is no key"):
        load(path)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="There is no key"):
        load(tmp_path / "none.json")
    (tmp_path / "file").touch()
    with pytest.raises(KeyFileError, match="can not be"):
        load_or_create(tmp_path / "file" / "key.json")


def test_what_the_demo_made_signs_in_the_demo_only(tmp_path: Path) -> None:
    keys = prepare_ledger(State(tmp_path))
    folder = tmp_path / "keys"
    assert SettlementKeys.load(folder, demo=True).settler == keys.settler
    with pytest.raises(DemoKeysError, match=f"The keys in {folder} were made by `peerwatt-hub demo`.*set state_dir"):
        SettlementKeys.load(folder)
    prepare_ledger(State(tmp_path))
    (folder / DEMO_MARK).unlink()
    assert SettlementKeys.load(folder).settler == keys.settler
