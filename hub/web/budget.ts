// Fails the build when the first load of the app carries more JavaScript than its budget.
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const BUDGET_BYTES = 200 * 1024;
const FIRST_PAGE = "features/today/Today.tsx";

/** The entry and the first page with everything that they import at once. */
export function budget(): Plugin {
  return {
    name: "peerwatt-budget",
    generateBundle(_, bundle) {
      const chunks = Object.values(bundle).filter((one) => one.type === "chunk");
      const first = new Set<string>();
      const add = (name: string) => {
        const chunk = chunks.find((one) => one.fileName === name);
        if (!chunk || first.has(name)) return;
        first.add(name);
        for (const imported of chunk.imports) add(imported);
      };
      for (const chunk of chunks) {
        if (chunk.isEntry || chunk.facadeModuleId?.endsWith(FIRST_PAGE)) add(chunk.fileName);
      }
      const size = chunks
        .filter((one) => first.has(one.fileName))
        .reduce((sum, one) => sum + gzipSync(one.code).length, 0);
      const said = `first load: ${(size / 1024).toFixed(1)} KB of JavaScript (gzip), at most ${BUDGET_BYTES / 1024}`;
      if (size > BUDGET_BYTES) this.error(said);
      this.info(said);
    },
  };
}
