"""What a browser with an empty cache fetches for its first page: compressed, within the budgets, and no other page."""

from typing import Any

from support.servers.browser import Site

KB = 1024
SIGN_IN_BYTES, TODAY_BYTES = 80 * KB, 150 * KB
"""At most so much JavaScript, as it is sent; the build holds the exact budgets (hub/web/budget)."""


async def test_the_first_page_loads_only_its_own_files(site: Site) -> None:
    async with site.script("first-load") as script:
        facts = {fact["name"]: fact["files"] for fact in await script.facts()}
    sign_in, today = facts["sign-in"], facts["today"]

    assert 0 < _script_bytes(sign_in) <= SIGN_IN_BYTES
    assert 0 < _script_bytes(today) <= TODAY_BYTES
    assert _names(sign_in) == {"index", "favicon"}, "neither the app behind the sign-in nor a page of it"
    assert {"index", "App", "TodayPage"} <= _names(today)
    assert not {name for name in _names(today) if name.endswith("Page")} - {"TodayPage"}
    large = [file for file in (*sign_in, *today) if file["bytes"] > 4 * KB]
    assert {file["path"] for file in large if file["coding"] not in {"br", "gzip"}} == set()


def _script_bytes(files: list[dict[str, Any]]) -> int:
    return sum(file["bytes"] for file in files if "javascript" in file["type"])


def _names(files: list[dict[str, Any]]) -> set[str]:
    """The names of the files without their hash; the page itself is ``index``."""
    return {file["path"].rpartition("/")[2].split("-")[0].split(".")[0] or "index" for file in files}
