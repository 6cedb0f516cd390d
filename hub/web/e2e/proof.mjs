// A proof from the hub, its file, tampered and forged files, another reading's proof, and the hub's own answer after
// somebody changed its database.
import { readFileSync, writeFileSync } from "node:fs";
import { given, heard, rungs, signIn, tell, withPage } from "./browser.mjs";

const sentence = (page) => page.getByTestId("verdict").textContent();

async function tampered(page, name, change) {
  const proof = JSON.parse(readFileSync(`${given.out}/proof.json`, "utf8"));
  change(proof);
  const file = `${given.out}/${name}.json`;
  writeFileSync(file, JSON.stringify(proof));
  await page.goto("/proof");
  await page.getByLabel(/Proof file/).setInputFiles(file);
  await page.getByTestId("verdict").waitFor();
  tell({ tampered: name, rungs: await rungs(page), verdict: await sentence(page) });
}

/** The hub answers with a genuine proof, but of another reading or interval than the page asked for. */
async function swapped(page, name, address) {
  await page.route("**/proof*", async (route) => {
    const genuine = await route.fetch({ url: `${given.origin}/api/v1/readings/${given.other}/proof` });
    await route.fulfill({ response: genuine });
  });
  await page.goto(address);
  tell({ swapped: name, rungs: await rungs(page), verdict: await sentence(page) });
  await page.unrouteAll();
}

const flip = (hex) => (hex.startsWith("0") ? "1" : "0") + hex.slice(1);

await withPage(async (page, faults) => {
  await signIn(page, "anna@campus.example");
  await page.goto(`/proof/${given.reading}`);
  tell({ rungs: await rungs(page), verdict: await sentence(page) });

  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download the proof" }).click();
  await (await downloading).saveAs(`${given.out}/proof.json`);
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
  await page.getByLabel(/Proof file/).setInputFiles(given.forged);
  tell({ tampered: "forged", rungs: await rungs(page), verdict: await sentence(page) });
  await page.screenshot({ path: `${given.out}/proof-forged.png`, fullPage: true });
  await page.getByRole("link", { name: "ask the hub for it" }).click();
  await page.getByText("This is not here").waitFor();

  const bad = JSON.parse(readFileSync(`${given.out}/proof.json`, "utf8"));
  bad.chain.settlement_account = { not: "text" };
  writeFileSync(`${given.out}/bad.json`, JSON.stringify(bad));
  await page.goto("/proof");
  await page.getByLabel(/Proof file/).setInputFiles(`${given.out}/bad.json`);
  tell({ refused: await page.getByRole("alert").filter({ hasText: "Choose another file" }).textContent() });

  await swapped(page, "reading", `/proof/${given.reading}`);
  await swapped(page, "interval", `/proof/${given.other}?interval=2026-06-01T09:45:00Z`);

  tell({ waiting: "for somebody to change the database" });
  await heard();
  await page.goto(`/proof/${given.reading}`);
  tell({ tampered: "database", rungs: await rungs(page), verdict: await sentence(page) });
  await page.screenshot({ path: `${given.out}/proof-broken.png`, fullPage: true });
  tell({ faults });
});
