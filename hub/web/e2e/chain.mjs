// The chain as people look at it: from the proof to the programs, an account, a transaction; every look, and the keyboard.
import { axeFaults, beyond, given, SIZES, signIn, tell, withPage } from "./browser.mjs";

const heading = (page) => page.locator("main h1").first().textContent();

const PAGES = {
  chain: async (page) => {
    await page.goto("/chain");
    await page.getByText("as published").nth(4).waitFor();
    await page.locator("main a[href^='/chain/tx/']").first().waitFor();
  },
  "chain-account": async (page) => {
    await page.goto(`/chain/${given.account}`);
    await page.getByText("balance_micros").waitFor();
    await page.locator("main a[href^='/chain/tx/']").first().waitFor();
  },
  "chain-transaction": async (page) => {
    await page.goto(`/chain/tx/${given.transaction}`);
    await page.getByTestId("units").waitFor();
    for (const one of await page.getByText(/^\d+ accounts?$/).all()) await one.click();
  },
  "chain-failed": async (page) => {
    await page.goto(`/chain/tx/${given.failed}`);
    await page.getByTestId("units").waitFor();
  },
};

async function press(page, key, times = 1) {
  for (let at = 0; at < times; at += 1) await page.keyboard.press(key);
}

await withPage(async (page, faults) => {
  await signIn(page, "anna@campus.example");
  await page.goto("/proof");
  await page.getByRole("link", { name: "the chain" }).click();
  await page.getByText("as published").nth(4).waitFor();
  tell({ heading: await heading(page), head: await page.getByTestId("head").textContent() });

  await page.getByLabel("Address or signature").focus();
  await page.keyboard.type("not an address");
  await press(page, "Enter");
  const refusal = await page.getByRole("alert").textContent();
  await press(page, "ControlOrMeta+A");
  await page.keyboard.type(given.transaction);
  await press(page, "Enter");
  await page.getByTestId("units").waitFor();
  tell({
    refusal,
    heading: await heading(page),
    units: await page.getByTestId("units").textContent(),
    log: await page.locator("pre").textContent(),
  });
  await page
    .getByText(/^\d+ accounts$/)
    .last()
    .focus();
  await press(page, "Enter");
  await page.getByRole("link", { name: given.account }).first().focus();
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  await press(page, "Enter");
  await page.getByText("balance_micros").waitFor();
  tell({ heading: await heading(page), outline, fields: await page.locator("dl").first().textContent() });

  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const colorScheme of ["light", "dark"]) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme });
      for (const [name, open] of Object.entries(PAGES)) {
        await open(page);
        await page.screenshot({ path: `${given.out}/${name}-${size}-${colorScheme}.png`, fullPage: true });
        tell({
          name: `${name} ${size} ${colorScheme}`,
          overflow: await beyond(page),
          axe: await axeFaults(page),
        });
      }
    }
  }

  await page.goto(`/chain/${given.nobody}`);
  await page.getByText("This is not here").waitFor();
  await page.goto("/chain/nonsense");
  await page.getByText("This is no address").waitFor();
  await page.goto(`/trades/${given.trade}`);
  await page.getByText("Transactions on the chain").waitFor();
  const links = await page.locator("main a[href^='/chain/tx/']").count();
  await page.goto(`/proof/${given.reading}`);
  await page.locator("[data-rung='chain'] summary").click();
  await page.locator("[data-rung='chain'] a[href^='/chain/']").first().waitFor();
  tell({ links, rung: await page.locator("[data-rung='chain'] a[href^='/chain/']").count(), faults });
});
