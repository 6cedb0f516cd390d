// A hub that can not answer ends no session: signing out says that it did not work, a reload waits instead of asking for
// the password.
import { axeFaults, given, signIn, tell, withPage } from "./browser.mjs";

const rests = (route) => route.fulfill({ status: 503, json: { detail: "The database rests." } });

async function askToLeave(page) {
  await page.getByRole("button", { name: /account menu/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
}

await withPage(async (page) => {
  await signIn(page, "anna@campus.example");
  await page.getByTestId("power-now").waitFor();

  await page.route("**/api/v1/auth/logout", rests);
  await askToLeave(page);
  await page.getByText("You are still signed in on this device").waitFor();
  await page.screenshot({ path: `${given.out}/session-not-left.png` });
  tell({ name: "not left", axe: await axeFaults(page), form: await page.getByLabel("E-mail").count() });

  await page.route("**/api/v1/auth/refresh", rests);
  await page.reload();
  await page.getByText("The hub could not answer").waitFor();
  await page.screenshot({ path: `${given.out}/session-silent.png` });
  tell({ name: "silent", axe: await axeFaults(page), form: await page.getByLabel("E-mail").count() });

  await page.unrouteAll();
  await page.getByTestId("power-now").waitFor();
  tell({ name: "back by itself", axe: [], form: await page.getByLabel("E-mail").count() });

  await askToLeave(page);
  await page.getByLabel("E-mail").waitFor();
  await page.reload();
  await page.getByLabel("E-mail").waitFor();
  tell({ name: "left", axe: await axeFaults(page), form: await page.getByLabel("E-mail").count() });

  await signIn(page, "anna@campus.example");
  await page.getByTestId("power-now").waitFor();
  await page.route("**/assets/TradesPage-*.js", (route) => route.abort());
  await page.getByRole("link", { name: "Trades", exact: true }).click();
  await page.getByText("This page can not be shown").waitFor();
  await page.screenshot({ path: `${given.out}/session-broken-page.png` });
  tell({
    name: "a broken page",
    axe: await axeFaults(page),
    form: await page.getByRole("navigation").count(),
  });
});
