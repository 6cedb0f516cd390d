"""Which Node builds the web app: one that its locked packages run on, else the wheel is brought."""

import json
from typing import Any

import pytest

from support.servers.browser import WEB, build_script


@pytest.mark.parametrize(
    ("version", "fits"),
    [
        ("v18.20.4", False), ("v20.18.3", False), ("v20.19.0", True), ("v21.7.3", False), ("v22.12.0", False),
        ("v22.13.0", True), ("v23.11.0", False), ("v24.0.0", True), ("v26.1.0", True), ("", False), ("nonsense", False),
    ],
)  # fmt: skip
def test_only_a_node_that_the_packages_run_on_is_taken(version: str, fits: bool) -> None:
    assert build_script().runs_on(f"{version}\n") is fits


def test_package_json_and_its_lock_ask_for_the_same_node() -> None:
    def engines(name: str) -> Any:
        return json.loads((WEB / name).read_text())

    asked = engines("package.json")["engines"]
    assert asked == {"node": "^20.19.0 || ^22.13.0 || >=24.0.0"}
    assert engines("package-lock.json")["packages"][""]["engines"] == asked
