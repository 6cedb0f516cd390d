// A reading arrives while the page is open: the figure changes in place, without a reload and without moving anything.
import { heard, signIn, tell, withPage } from "./browser.mjs";

await withPage(async (page, faults) => {
  await signIn(page, "anna@campus.example");
  const power = page.getByTestId("power-now");
  await power.waitFor();
  await page.getByText("live", { exact: true }).waitFor();
  await page.evaluate(() => {
    window.sameDocument = true;
  });
  const before = await power.boundingBox();
  tell({ power: await power.textContent(), sentence: await page.locator("h1").textContent() });
  await heard();
  await power.filter({ hasText: "1.2 kW" }).waitFor();
  const after = await power.boundingBox();
  const moved = Math.abs(before.x - after.x) + Math.abs(before.y - after.y);
  const reloaded = !(await page.evaluate(() => window.sameDocument));
  tell({
    power: await power.textContent(),
    sentence: await page.locator("h1").textContent(),
    moved,
    reloaded,
  });
  tell({ faults });
});
