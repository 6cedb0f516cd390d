// What people see when there is nothing to see: no day yet, no part in the market, nothing there, no hub.
import { axeViolations, input, report, signIn, withPage } from "./browser.mjs";

const picture = (page, name) => page.screenshot({ path: `${input.out}/state-${name}.png`, fullPage: true });

async function shows(page, name, text) {
  await page.getByText(text).first().waitFor();
  await picture(page, name);
  report({ name, axe: await axeViolations(page) });
}

async function signOut(page) {
  await page.getByRole("button", { name: /account menu/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByLabel("E-mail").waitFor();
}

await withPage(async (page) => {
  await page.goto(`/proof/${input.reading}`);
  await page.getByLabel("E-mail").waitFor();
  await shows(page, "signed-out", "You can check every number");

  await signIn(page, "nobody@campus.example");
  await shows(page, "first-run", "Your day begins with the first reading");
  await page.goto("/trades");
  await shows(page, "no-trades", "No trades yet");
  await page.goto(`/trades/${"0".repeat(64)}`);
  await shows(page, "no-such-trade", "This is not here");
  await page.goto("/proof/abc");
  await shows(page, "no-such-reading", "This is no reading id");
  await page.goto("/nowhere");
  await shows(page, "no-such-page", "There is no such page");
  await signOut(page);

  await signIn(page, "operator@campus.example");
  await shows(page, "operator", "Your account takes no part in the market");
  await signOut(page);

  await page.route("**/api/v1/today", (route) =>
    route.fulfill({ status: 503, json: { detail: "The database rests." } }),
  );
  await signIn(page, "anna@campus.example");
  await shows(page, "failed", "The database rests.");
  await page.unroute("**/api/v1/today");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByTestId("power-now").waitFor();

  await page.route("**/api/v1/today", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), stale: true } });
  });
  await page.reload();
  await shows(page, "stale", "Stale since 12:01:00");
  await page.unroute("**/api/v1/today");

  const over = (route) => route.fulfill({ status: 401, json: { code: "token_expired" } });
  await page.route("**/api/v1/trades*", over);
  await page.route("**/api/v1/auth/refresh", over);
  await page.getByRole("link", { name: "Trades", exact: true }).click();
  await page.getByLabel("E-mail").waitFor();
  report({ name: "session-over", axe: await axeViolations(page) });
  await page.unrouteAll();
  await page.context().clearCookies();
  await signIn(page, "anna@campus.example");
  await page.getByText("live", { exact: true }).waitFor();

  await page.context().setOffline(true);
  await shows(page, "offline", /offline since/);
});
