// A proof from the hub, its file, a tampered file, and the hub's own answer after somebody changed its database.
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

  tell({ waiting: "for somebody to change the database" });
  await heard();
  await page.goto(`/proof/${given.reading}`);
  tell({ tampered: "database", rungs: await rungs(page), verdict: await sentence(page) });
  await page.screenshot({ path: `${given.out}/proof-broken.png`, fullPage: true });
  tell({ faults });
});
