// Signs in, walks through the app and signs out with the keyboard alone; a wrong password first.
import { input, report, withPage } from "./browser.mjs";

const focused = (page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    return (element?.getAttribute("aria-label") ?? element?.textContent ?? "").trim();
  });

const outlined = (page) =>
  page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle !== "none");

async function tabTo(page, name, key = "Tab") {
  for (let presses = 0; presses < 60; presses += 1) {
    if ((await focused(page)).startsWith(name)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`no way to "${name}" with the key ${key}`);
}

await withPage(async (page, errors) => {
  await page.goto("/");
  await page.getByLabel("E-mail").waitFor();
  await page.keyboard.type("anna@campus.example");
  await page.keyboard.press("Tab");
  await page.keyboard.type("not the password");
  await page.keyboard.press("Enter");
  report({ refusal: await page.getByRole("alert").textContent() });

  await page.locator("input[name=password]").focus();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type(input.password);
  await page.keyboard.press("Enter");
  await page.getByTestId("power-now").waitFor();
  report({ sentence: await page.locator("h1").textContent() });

  await tabTo(page, "Interval of the day");
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowLeft");
  const slider = page.getByRole("slider");
  const chart = await slider.getAttribute("aria-valuetext");
  for (const key of ["+", "+", "+"]) await page.keyboard.press(key);
  const zoomed = await slider.getAttribute("aria-valuetext");
  await page.keyboard.press("Home");
  report({ chart, zoomed, first: await slider.getAttribute("aria-valuenow"), visible: await outlined(page) });

  await page.reload();
  await page.getByTestId("power-now").waitFor();
  await tabTo(page, "Trades");
  const visible = await outlined(page);
  await page.keyboard.press("Enter");
  await page.getByRole("columnheader", { name: "Energy" }).waitFor();
  await tabTo(page, "Energy");
  await page.keyboard.press("Enter");
  report({
    sorted: await page.getByRole("columnheader", { name: "Energy" }).getAttribute("aria-sort"),
    visible,
  });

  await page.reload();
  await page.getByRole("columnheader", { name: "Energy" }).waitFor();
  await tabTo(page, "A, Anna: account menu");
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Sign out" }).waitFor();
  await tabTo(page, "Sign out", "ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByLabel("E-mail").waitFor();
  report({ signedOut: true, errors });
});
