// A reading arrives while the page is open: the figure changes in place, without a reload and without moving anything.
import { report, signIn, testSignal, withPage } from "./browser.mjs";

await withPage(async (page, errors) => {
  await signIn(page, "anna@campus.example");
  const power = page.getByTestId("power-now");
  await power.waitFor();
  await page.getByText("live", { exact: true }).waitFor();
  await page.evaluate(() => {
    window.sameDocument = true;
  });
  const before = await power.boundingBox();
  report({ power: await power.textContent(), sentence: await page.locator("h1").textContent() });
  await testSignal();
  await power.filter({ hasText: "1.2 kW" }).waitFor();
  const after = await power.boundingBox();
  const moved = Math.abs(before.x - after.x) + Math.abs(before.y - after.y);
  const reloaded = !(await page.evaluate(() => window.sameDocument));
  report({
    power: await power.textContent(),
    sentence: await page.locator("h1").textContent(),
    moved,
    reloaded,
  });
  await page.evaluate(() => {
    const region = document.querySelector("[aria-live=polite]");
    window.announced = [];
    new MutationObserver(() => window.announced.push(region.textContent)).observe(region, {
      characterData: true,
      childList: true,
      subtree: true,
    });
  });
  report({ waiting: "for a clearing with other events behind it" });
  await testSignal();
  await power.filter({ hasText: "500 W" }).waitFor();
  report({
    announced: await page.evaluate(() => window.announced),
    stands: await page.locator("[aria-live=polite]").textContent(),
  });
  report({ errors });
});
