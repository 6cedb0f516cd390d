// One Chromium for one script: opens it on the hub that the test runs, signs in, checks with axe, reports in JSON lines.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const AXE = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const PATIENCE_MS = 20_000;

/** What the test hands over: { origin, chromium, out, ... }. */
export const given = JSON.parse(process.argv[2] ?? "{}");

export const tell = (fact) => console.log(JSON.stringify(fact));

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Waits until the test has done its part. */
export const heard = async () => (await lines.next()).value;

/** Runs `script(page, faults)` in a fresh browser; faults are what the page complained about. */
export async function withPage(script, options = {}) {
  const browser = await chromium.launch({ executablePath: given.chromium, args: FLAGS });
  try {
    const context = await browser.newContext({
      baseURL: given.origin,
      viewport: { width: 1280, height: 900 },
      locale: "en-GB",
      // Another zone than the site's: the page must show the site's time
      timezoneId: "America/New_York",
      reducedMotion: "reduce",
      ...options,
    });
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    const faults = [];
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" && !/status of 40\d/.test(message.text())) faults.push(message.text());
    });
    await script(page, faults);
  } finally {
    await browser.close();
    process.stdin.destroy();
  }
}

export async function signIn(page, email, password = given.password) {
  await page.goto("/");
  await page.getByLabel("E-mail").fill(email);
  await page.locator("input[name=password]").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
}

/** Names of the WCAG A and AA rules that the page breaks, each with the first place. */
export async function axeFaults(page) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(AXE);
  const result = await page.evaluate(() =>
    window.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] }),
  );
  return result.violations.map(
    (one) => `${one.id}: ${one.nodes[0]?.html.slice(0, 160)} (${one.nodes[0]?.failureSummary})`,
  );
}

export const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } };

/** How far anything reaches sideways beyond what is seen: the page itself, or a box of it that scrolls. */
export function beyond(page) {
  return page.evaluate(() =>
    Math.max(
      ...[document.documentElement, ...document.querySelectorAll("main *")]
        .filter(
          (one) => one === document.documentElement || /auto|scroll/.test(getComputedStyle(one).overflowX),
        )
        .map((one) => one.scrollWidth - one.clientWidth),
    ),
  );
}

/** The states of the ladder's rungs, once none is waiting. */
export async function rungs(page) {
  await page.locator("[data-rung='chain']:not([data-state='waiting'])").waitFor();
  return page
    .locator("[data-rung]")
    .evaluateAll((all) => Object.fromEntries(all.map((one) => [one.dataset.rung, one.dataset.state])));
}
