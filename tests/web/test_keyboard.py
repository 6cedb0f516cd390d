"""From sign-in to sign-out with the keyboard alone, a wrong password first."""

from support.servers.browser import Site


async def test_everything_is_done_with_the_keyboard(site: Site) -> None:
    async with site.script("keyboard") as script:
        refusal, signed_in, chart, trades, end = await script.facts()

    assert "password" in refusal["refusal"].lower()
    assert signed_in["sentence"] == "You are giving 900 W, to your neighbours first, at CHF 3.80 per kWh."
    assert chart["chart"].startswith("11:45\u201312:00: ")
    assert chart["zoomed"] == chart["chart"], "zooming keeps the interval that one stands on"
    assert chart["first"] == "1", "and Home leads back to the first, out of the zoomed window"
    assert chart["visible"]
    assert trades == {"sorted": "descending", "visible": True}
    assert end == {"signedOut": True, "errors": []}
