// A hub whose node of the chain does not answer: the page says so, and which part of the app still works.
import { axeViolations, input, report, signIn, withPage } from "./browser.mjs";

await withPage(async (page) => {
  await signIn(page, "anna@campus.example");
  await page.goto("/chain");
  await page.getByText("The hub could not answer").first().waitFor();
  await page.screenshot({ path: `${input.out}/chain-down.png`, fullPage: true });
  report({ says: await page.getByRole("alert").first().textContent(), axe: await axeViolations(page) });
});
