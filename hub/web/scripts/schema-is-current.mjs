// Fails when the checked-in client types are not those of the API's description.
import { readFileSync } from "node:fs";
import openapiTS, { astToString, COMMENT_HEADER } from "openapi-typescript";

const expected = `${COMMENT_HEADER}${astToString(await openapiTS(new URL("../../api/openapi.json", import.meta.url)))}`;
const committed = readFileSync(new URL("../src/api/schema.d.ts", import.meta.url), "utf8");
if (committed !== expected) {
  console.error(
    "src/api/schema.d.ts is not what hub/api/openapi.json describes: run `npm run generate` and commit it",
  );
  process.exit(1);
}
