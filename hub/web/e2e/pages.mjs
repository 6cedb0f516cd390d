// Every page at phone and desktop width, light and dark: a picture of each, and what axe says.
import { axeFaults, beyond, given, rungs, SIZES, signIn, tell, withPage } from "./browser.mjs";

const main = (page) => page.locator("main h1").first().waitFor();

const PAGES = {
  today: async (page) => {
    await page.goto("/");
    await page.locator(".uplot canvas").waitFor();
  },
  "today-open": async (page) => {
    await page.getByText("How this comes about").click();
    await page.getByRole("button", { name: "Table" }).click();
    await page
      .getByRole("link", { name: /Show proof of METER/ })
      .first()
      .waitFor();
  },
  trades: async (page) => {
    await page.goto("/trades");
    await page.getByText(/These are all your trades|Earlier trades/).waitFor();
  },
  trade: async (page) => {
    await page.goto(`/trades/${given.trade}`);
    await main(page);
  },
  "proof-start": async (page) => {
    await page.goto("/proof");
    await page.getByText("METER_001").waitFor();
  },
  proof: async (page) => {
    await page.goto(`/proof/${given.reading}`);
    await rungs(page);
  },
};

await withPage(async (page, faults) => {
  await page.goto("/");
  await page.getByLabel("E-mail").waitFor();
  tell({ name: "sign-in", axe: await axeFaults(page), width: 0, faults: [] });
  await signIn(page, "anna@campus.example");
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const colorScheme of ["light", "dark"]) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme });
      for (const [name, open] of Object.entries(PAGES)) {
        await open(page);
        const picture = `${given.out}/${name}-${size}-${colorScheme}.png`;
        await page.screenshot({ path: picture, fullPage: true });
        if (name === "today") await page.screenshot({ path: `${given.out}/fold-${size}-${colorScheme}.png` });
        const overflow = await beyond(page);
        tell({ name: `${name} ${size} ${colorScheme}`, overflow, axe: await axeFaults(page), faults });
      }
    }
  }
});
