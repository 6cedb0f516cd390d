// A hub that can not answer ends no session: signing out says that it did not work, a reload waits instead of asking for
// the password.
import { axeViolations, input, report, signIn, withPage } from "./browser.mjs";

const refuse = (route) => route.fulfill({ status: 503, json: { detail: "The database rests." } });

async function signOut(page) {
  await page.getByRole("button", { name: /account menu/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
}

await withPage(async (page) => {
  await signIn(page, "anna@campus.example");
  await page.getByTestId("power-now").waitFor();

  await page.route("**/api/v1/auth/logout", refuse);
  await signOut(page);
  await page.getByText("You are still signed in on this device").waitFor();
  await page.screenshot({ path: `${input.out}/session-sign-out-failed.png` });
  report({
    name: "sign-out failed",
    axe: await axeViolations(page),
    form: await page.getByLabel("E-mail").count(),
  });

  await page.route("**/api/v1/auth/refresh", refuse);
  await page.reload();
  await page.getByText("The hub could not answer").waitFor();
  await page.screenshot({ path: `${input.out}/session-unknown.png` });
  report({
    name: "session unknown",
    axe: await axeViolations(page),
    form: await page.getByLabel("E-mail").count(),
  });

  await page.unrouteAll();
  await page.getByTestId("power-now").waitFor();
  report({ name: "restored", axe: [], form: await page.getByLabel("E-mail").count() });

  await signOut(page);
  await page.getByLabel("E-mail").waitFor();
  await page.reload();
  await page.getByLabel("E-mail").waitFor();
  report({
    name: "signed out",
    axe: await axeViolations(page),
    form: await page.getByLabel("E-mail").count(),
  });

  await signIn(page, "anna@campus.example");
  await page.getByTestId("power-now").waitFor();
  await page.route("**/assets/TradesPage-*.js", (route) => route.abort());
  await page.getByRole("link", { name: "Trades", exact: true }).click();
  await page.getByText("This page can not be shown").waitFor();
  await page.screenshot({ path: `${input.out}/session-page-crashed.png` });
  report({
    name: "page crashed",
    axe: await axeViolations(page),
    form: await page.getByRole("navigation").count(),
  });
});
