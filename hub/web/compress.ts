// Writes a gzip and a brotli copy beside every built file that gets smaller by it: the hub sends the copy that a browser takes.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { Plugin } from "vite";

/** Below this a file is not worth a copy: it fits into a packet with its headers either way. */
const SMALLEST_BYTES = 512;
/** The largest size of a copy, as a share of the plain file. */
const WORTH_IT = 0.9;

const copies = {
  ".gz": (content: Buffer) => promisify(gzip)(content, { level: constants.Z_BEST_COMPRESSION }),
  ".br": (content: Buffer) =>
    promisify(brotliCompress)(content, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: content.length } }),
};

async function compressFile(path: string): Promise<void> {
  const content = await readFile(path);
  if (content.length < SMALLEST_BYTES) return;
  for (const [suffix, compress] of Object.entries(copies)) {
    const copy = await compress(content);
    if (copy.length <= content.length * WORTH_IT) await writeFile(`${path}${suffix}`, copy);
  }
}

/** Compresses the whole output folder, the files of `public/` and index.html included. */
export function compress(): Plugin {
  let folder = "";
  return {
    name: "peerwatt-compress",
    apply: "build",
    configResolved(config) {
      folder = config.build.outDir;
    },
    async closeBundle() {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile());
      await Promise.all(files.map((file) => compressFile(join(file.parentPath, file.name))));
    },
  };
}
