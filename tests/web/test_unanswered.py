"""A hub that stops answering: figures say how old they are, and nobody is signed out, or told so, by its silence."""

from hub.live import outbox
from support.servers.browser import Site

PAGES = ("today", "trades", "trade", "proof")


async def test_what_can_not_be_asked_for_again_says_since_when(site: Site) -> None:
    async with site.script("stale", trade=site.trade, reading=site.reading) as script:
        for page in PAGES:
            for _ in ("what was loaded becomes stale", "and is asked for again"):
                await script.fact()
                async with site.pool.acquire() as connection, connection.transaction():
                    await outbox.append(connection, "reconciled", {})
                script.go_on()
            assert await script.fact() == {"name": page, "stays": True}


async def test_a_session_ends_only_by_the_hubs_word(site: Site) -> None:
    async with site.script("session") as script:
        facts = {fact["name"]: fact for fact in await script.facts()}

    assert {name: fact["axe"] for name, fact in facts.items() if fact["axe"]} == {}
    forms = {name: fact["form"] for name, fact in facts.items()}
    assert forms == {"sign-out failed": 0, "session unknown": 0, "restored": 0, "signed out": 1, "page crashed": 1}
