// The chain as people look at it: from the proof to the programs, an account, a transaction; every look, and the keyboard.
import { input, report, reportLooks, signIn, withPage } from "./browser.mjs";

const heading = (page) => page.locator("main h1").first().textContent();

const PAGES = {
  chain: async (page) => {
    await page.goto("/chain");
    await page.getByText("as published").nth(4).waitFor();
    await page.locator("main a[href^='/chain/tx/']").first().waitFor();
  },
  "chain-account": async (page) => {
    await page.goto(`/chain/${input.account}`);
    await page.getByText("balance_micros").waitFor();
    await page.locator("main a[href^='/chain/tx/']").first().waitFor();
  },
  "chain-transaction": async (page) => {
    await page.goto(`/chain/tx/${input.transaction}`);
    await page.getByTestId("units").waitFor();
    for (const summary of await page.getByText(/^\d+ accounts?$/).all()) await summary.click();
  },
  "chain-failed": async (page) => {
    await page.goto(`/chain/tx/${input.failed}`);
    await page.getByTestId("units").waitFor();
  },
};

async function press(page, key, times = 1) {
  for (let count = 0; count < times; count += 1) await page.keyboard.press(key);
}

await withPage(async (page, errors) => {
  await signIn(page, "anna@campus.example");
  await page.goto("/proof");
  await page.getByRole("link", { name: "the chain" }).click();
  await page.getByText("as published").nth(4).waitFor();
  report({ heading: await heading(page), head: await page.getByTestId("head").textContent() });

  await page.getByLabel("Address or signature").focus();
  await page.keyboard.type("not an address");
  await press(page, "Enter");
  const refusal = await page.getByRole("alert").textContent();
  await press(page, "ControlOrMeta+A");
  await page.keyboard.type(input.transaction);
  await press(page, "Enter");
  await page.getByTestId("units").waitFor();
  report({
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
  await page.getByRole("link", { name: input.account }).first().focus();
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  await press(page, "Enter");
  await page.getByText("balance_micros").waitFor();
  report({ heading: await heading(page), outline, fields: await page.locator("dl").first().textContent() });

  await reportLooks(page, PAGES);

  await page.goto(`/chain/${input.nobody}`);
  await page.getByText("This is not here").waitFor();
  await page.goto("/chain/nonsense");
  await page.getByText("This is no address").waitFor();
  await page.goto(`/trades/${input.trade}`);
  await page.getByText("Transactions on the chain").waitFor();
  const links = await page.locator("main a[href^='/chain/tx/']").count();
  await page.goto(`/proof/${input.reading}`);
  await page.locator("[data-rung='chain'] summary").click();
  await page.locator("[data-rung='chain'] a[href^='/chain/']").first().waitFor();
  report({ links, rung: await page.locator("[data-rung='chain'] a[href^='/chain/']").count(), errors });
});
