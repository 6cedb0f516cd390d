// Figures that were loaded and can not be asked for again say so, and since when; they stay, and recover by themselves.
import { given, heard, signIn, tell, withPage } from "./browser.mjs";

const NOTE = /The hub does not answer: what stands here is as of/;

const PAGES = {
  today: { address: "/", api: "**/api/v1/today", good: (page) => page.getByTestId("power-now") },
  trades: {
    address: "/trades",
    api: "**/api/v1/trades?*",
    good: (page) => page.getByRole("columnheader", { name: "Energy" }),
  },
  trade: {
    address: `/trades/${given.trade}`,
    api: "**/api/v1/trades/*",
    good: (page) => page.getByText("How the amount comes about"),
  },
  proof: {
    address: `/proof/${given.reading}`,
    api: "**/api/v1/readings/*/proof*",
    good: (page) => page.locator("[data-rung='chain']"),
  },
};

await withPage(async (page) => {
  await signIn(page, "anna@campus.example");
  for (const [name, { address, api, good }] of Object.entries(PAGES)) {
    await page.goto(address);
    await good(page).waitFor();
    await page.getByText("live", { exact: true }).waitFor();
    await page.route(api, (route) => route.fulfill({ status: 503, json: { detail: "The database rests." } }));
    tell({ waiting: name });
    await heard();
    await page.getByText(NOTE).first().waitFor();
    await page.screenshot({ path: `${given.out}/old-${name}.png`, fullPage: true });
    const stays = await good(page).isVisible();
    await page.unrouteAll();
    tell({ waiting: "for an answer" });
    await heard();
    await page.getByText(NOTE).first().waitFor({ state: "detached" });
    tell({ name, stays });
  }
});
