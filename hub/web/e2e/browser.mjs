// What the scripts share: a Chromium on the hub that the test runs, sign-in, axe, every look of a page, reports as JSON lines.
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
const TIMEOUT_MS = 20_000;

/** The test's values: { origin, chromium, out, ... }. */
export const input = JSON.parse(process.argv[2] ?? "{}");

/** Tells the test a fact. */
export const report = (fact) => console.log(JSON.stringify(fact));

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Waits until the test has done its part, and says so. */
export const testSignal = async () => (await lines.next()).value;

/** Runs `script(page, errors)` in a fresh browser; errors are what the page complained about. */
export async function withPage(script, options = {}) {
  const browser = await chromium.launch({ executablePath: input.chromium, args: FLAGS });
  try {
    const context = await browser.newContext({
      baseURL: input.origin,
      viewport: { width: 1280, height: 900 },
      locale: "en-GB",
      // Another zone than the site's: the page must show the site's time
      timezoneId: "America/New_York",
      reducedMotion: "reduce",
      ...options,
    });
    context.setDefaultTimeout(TIMEOUT_MS);
    const page = await context.newPage();
    const errors = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" && !/status of 40\d/.test(message.text())) errors.push(message.text());
    });
    await script(page, errors);
  } finally {
    await browser.close();
    process.stdin.destroy();
  }
}

export async function signIn(page, email, password = input.password) {
  await page.goto("/");
  await page.getByLabel("E-mail").fill(email);
  await page.locator("input[name=password]").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
}

/** Names of the WCAG A and AA rules that the page breaks, each with the first place. */
export async function axeViolations(page) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(AXE);
  const result = await page.evaluate(() =>
    window.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] }),
  );
  return result.violations.map(
    ({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 160)} (${nodes[0]?.failureSummary})`,
  );
}

const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } };

/** How far anything reaches sideways overflowPx what is seen: the page itself, or a box of it that scrolls. */
export function overflowPx(page) {
  return page.evaluate(() =>
    Math.max(
      ...[document.documentElement, ...document.querySelectorAll("main *")]
        .filter(
          (element) =>
            element === document.documentElement || /auto|scroll/.test(getComputedStyle(element).overflowX),
        )
        .map((element) => element.scrollWidth - element.clientWidth),
    ),
  );
}

/** The states of the ladder's rungs, once none is waiting. */
export async function rungStates(page) {
  await page.locator("[data-rung='chain']:not([data-state='waiting'])").waitFor();
  return page
    .locator("[data-rung]")
    .evaluateAll((rungs) => Object.fromEntries(rungs.map(({ dataset }) => [dataset.rung, dataset.state])));
}

/** Opens each of these pages at every size and colour scheme; takes a picture, and reports what is wrong with it. */
export async function reportLooks(page, pages) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const colorScheme of ["light", "dark"]) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme });
      for (const [name, open] of Object.entries(pages)) {
        await open(page);
        const look = `${size}-${colorScheme}`;
        await page.screenshot({ path: `${input.out}/${name}-${look}.png`, fullPage: true });
        if (name === "today") await page.screenshot({ path: `${input.out}/fold-${look}.png` });
        const overflow = await overflowPx(page);
        report({ name: `${name} ${size} ${colorScheme}`, overflow, axe: await axeViolations(page) });
      }
    }
  }
}
