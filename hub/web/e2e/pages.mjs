// Every page at phone and desktop width, light and dark: a picture of each, and what axe says.
import { axeViolations, input, report, reportLooks, rungStates, signIn, withPage } from "./browser.mjs";

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
  "today-corrected": async (page) => {
    await page.goto("/");
    await page.getByRole("button", { name: "Which intervals, and why" }).click();
    await page.getByText(/came late:/).waitFor();
  },
  trades: async (page) => {
    await page.goto("/trades");
    await page.getByText(/These are all your trades|Earlier trades/).waitFor();
  },
  trade: async (page) => {
    await page.goto(`/trades/${input.trade}`);
    await page.locator("main h1").first().waitFor();
  },
  "proof-start": async (page) => {
    await page.goto("/proof");
    await page.getByText("METER_001").waitFor();
  },
  proof: async (page) => {
    await page.goto(`/proof/${input.reading}`);
    await rungStates(page);
  },
};

await withPage(async (page, errors) => {
  await page.goto("/");
  await page.getByLabel("E-mail").waitFor();
  report({ name: "sign-in", axe: await axeViolations(page) });
  await signIn(page, "anna@campus.example");
  await reportLooks(page, PAGES);
  report({ errors });
});
