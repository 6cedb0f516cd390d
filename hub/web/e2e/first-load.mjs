// Lists what a browser with an empty cache fetches of the app for its first page: signed out, and signed in.
import { input, report, signIn, withPage } from "./browser.mjs";

/** Reports every static file that is fetched while `open` runs, with the bytes of its body as they were sent. */
async function recordLoad(page, name, open) {
  const files = [];
  const add = async (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith("/api/")) return;
    const headers = await (await request.response()).allHeaders();
    files.push({
      path: pathname,
      bytes: Number(headers["content-length"]),
      type: headers["content-type"],
      coding: headers["content-encoding"] ?? null,
    });
  };
  page.on("requestfinished", add);
  await open();
  await page.waitForLoadState("networkidle", { timeout: 1_000 }).catch(() => undefined);
  page.off("requestfinished", add);
  report({ name, files });
}

await withPage(async (page) => {
  await recordLoad(page, "sign-in", async () => {
    await page.goto("/");
    await page.getByLabel("E-mail").waitFor();
  });
  await signIn(page, "anna@campus.example");
  const storageState = await page.context().storageState();
  const context = await page.context().browser().newContext({ baseURL: input.origin, storageState });
  const cold = await context.newPage();
  await recordLoad(cold, "today", async () => {
    await cold.goto("/");
    await cold.getByTestId("power-now").waitFor();
  });
});
