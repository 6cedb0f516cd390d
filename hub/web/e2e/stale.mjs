// Figures that can not be refreshed say so, and since when; they stay, and recover by themselves.
import { input, report, signIn, testSignal, withPage } from "./browser.mjs";

const STALE_NOTICE = /The hub does not answer: what stands here is as of/;

const PAGES = {
  today: { address: "/", api: "**/api/v1/today", shown: (page) => page.getByTestId("power-now") },
  trades: {
    address: "/trades",
    api: "**/api/v1/trades?*",
    shown: (page) => page.getByRole("columnheader", { name: "Energy" }),
  },
  trade: {
    address: `/trades/${input.trade}`,
    api: "**/api/v1/trades/*",
    shown: (page) => page.getByText("How the amount comes about"),
  },
  proof: {
    address: `/proof/${input.reading}`,
    api: "**/api/v1/readings/*/proof*",
    shown: (page) => page.locator("[data-rung='chain']"),
  },
};

await withPage(async (page) => {
  await signIn(page, "anna@campus.example");
  for (const [name, { address, api, shown }] of Object.entries(PAGES)) {
    await page.goto(address);
    await shown(page).waitFor();
    await page.getByText("live", { exact: true }).waitFor();
    await page.route(api, (route) => route.fulfill({ status: 503, json: { detail: "The database rests." } }));
    report({ waiting: name });
    await testSignal();
    await page.getByText(STALE_NOTICE).first().waitFor();
    await page.screenshot({ path: `${input.out}/stale-${name}.png`, fullPage: true });
    const stays = await shown(page).isVisible();
    await page.unrouteAll();
    report({ waiting: "for an answer" });
    await testSignal();
    await page.getByText(STALE_NOTICE).first().waitFor({ state: "detached" });
    report({ name, stays });
  }
});
