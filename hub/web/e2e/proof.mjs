// A proof from the hub, its file, tampered and forged files, another reading's proof, and the hub's own answer after
// somebody changed its database.
import { readFileSync, writeFileSync } from "node:fs";
import { input, report, rungStates, signIn, testSignal, withPage } from "./browser.mjs";

const sentence = (page) => page.getByTestId("verdict").textContent();

async function tampered(page, name, change) {
  const proof = JSON.parse(readFileSync(`${input.out}/proof.json`, "utf8"));
  change(proof);
  const file = `${input.out}/${name}.json`;
  writeFileSync(file, JSON.stringify(proof));
  await page.goto("/proof");
  await page.getByLabel(/Proof file/).setInputFiles(file);
  await page.getByTestId("verdict").waitFor();
  report({ tampered: name, rungs: await rungStates(page), verdict: await sentence(page) });
}

/** The hub answers with a genuine proof, but of another reading or interval than the page asked for. */
async function swapped(page, name, address) {
  await page.route("**/proof*", async (route) => {
    const genuine = await route.fetch({ url: `${input.origin}/api/v1/readings/${input.other}/proof` });
    await route.fulfill({ response: genuine });
  });
  await page.goto(address);
  report({ swapped: name, rungs: await rungStates(page), verdict: await sentence(page) });
  await page.unrouteAll();
}

const flip = (hex) => (hex.startsWith("0") ? "1" : "0") + hex.slice(1);

await withPage(async (page, errors) => {
  await signIn(page, "anna@campus.example");
  await page.goto(`/proof/${input.reading}`);
  report({ rungs: await rungStates(page), verdict: await sentence(page) });

  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download the proof" }).click();
  await (await downloading).saveAs(`${input.out}/proof.json`);
  await tampered(page, "nothing", () => undefined);
  await tampered(page, "record", (proof) => {
    proof.record = proof.record.slice(0, -2) + flip(proof.record.slice(-2));
  });
  await tampered(page, "signature", (proof) => {
    proof.signature = flip(proof.signature);
  });
  await tampered(page, "interval", (proof) => {
    proof.interval.export_wh += 1;
  });

  await page.goto("/proof");
  await page.getByLabel(/Proof file/).setInputFiles(input.forged);
  report({ tampered: "forged", rungs: await rungStates(page), verdict: await sentence(page) });
  await page.screenshot({ path: `${input.out}/proof-forged.png`, fullPage: true });
  await page.getByRole("link", { name: "ask the hub for it" }).click();
  await page.getByText("This is not here").waitFor();

  const bad = JSON.parse(readFileSync(`${input.out}/proof.json`, "utf8"));
  bad.chain.settlement_account = { not: "text" };
  writeFileSync(`${input.out}/bad.json`, JSON.stringify(bad));
  await page.goto("/proof");
  await page.getByLabel(/Proof file/).setInputFiles(`${input.out}/bad.json`);
  report({ refused: await page.getByRole("alert").filter({ hasText: "Choose another file" }).textContent() });

  await swapped(page, "reading", `/proof/${input.reading}`);
  await swapped(page, "interval", `/proof/${input.other}?interval=2026-06-01T09:45:00Z`);

  report({ waiting: "for somebody to change the database" });
  await testSignal();
  await page.goto(`/proof/${input.reading}`);
  report({ tampered: "database", rungs: await rungStates(page), verdict: await sentence(page) });
  await page.screenshot({ path: `${input.out}/proof-broken.png`, fullPage: true });
  report({ errors });
});
