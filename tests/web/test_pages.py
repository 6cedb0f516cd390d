"""Every page at 390 and 1280 px, light and dark: a picture of each in pytest's folder, and what axe says of it."""

from support.servers.browser import Site

PAGES = ("today", "today-open", "today-corrected", "trades", "trade", "proof-start", "proof")
LOOKS = tuple(f"{size} {scheme}" for size in ("phone", "desktop") for scheme in ("light", "dark"))


async def test_every_page_is_accessible_and_fits_at_every_size_and_scheme(site: Site) -> None:
    async with site.script("pages", trade=site.trade, reading=site.reading) as script:
        *facts, end = await script.facts()

    assert [fact["name"] for fact in facts] == ["sign-in", *(f"{page} {look}" for look in LOOKS for page in PAGES)]
    assert {fact["name"]: fact["axe"] for fact in facts if fact["axe"]} == {}
    assert {fact["name"]: fact["overflow"] for fact in facts if fact.get("overflow")} == {}
    assert end == {"errors": []}
    assert len(list(site.out.glob("*.png"))) == (len(PAGES) + 1) * len(LOOKS), "and Today above the fold"


async def test_when_there_is_nothing_to_show_the_page_says_what_to_do(site: Site) -> None:
    async with site.script("states", reading=site.reading) as script:
        facts = await script.facts()

    assert [fact["name"] for fact in facts] == [
        "signed-out", "first-run", "no-trades", "no-such-trade", "no-such-reading", "no-such-page", "operator",
        "failed", "stale", "session-over", "offline",
    ]  # fmt: skip
    assert {fact["name"]: fact["axe"] for fact in facts if fact["axe"]} == {}
