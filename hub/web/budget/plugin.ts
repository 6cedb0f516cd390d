// Prints what a browser loads for each page, gzip-compressed, and fails the build when a page is over its budget.
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { build, type Plugin, type Rolldown } from "vite";

const KB = 1024;
/** What the sign-in page may add to React itself, which it can not do without. */
const SIGN_IN_BYTES = 15 * KB;
/** What any other page may load in all. */
const PAGE_BYTES = 150 * KB;

/** Modules that are pages: each is a chunk of its own, loaded when it is opened. */
const PAGE = /\/src\/features\/\w+\/\w+Page\.tsx$/;
const SIGN_IN_PAGE = "SignInPage.tsx";
/** Loaded only once somebody is signed in. */
const SIGNED_IN = /\/src\/App\.tsx$/;

type Chunk = Rolldown.OutputChunk;
type Bundle = Rolldown.OutputBundle;

const gzipBytes = (content: string | Uint8Array) => gzipSync(content).length;
const inKb = (bytes: number) => `${(bytes / KB).toFixed(1)} KB`;
const total = (sizes: number[]) => sizes.reduce((sum, size) => sum + size, 0);

/**
 * The entry with every chunk that it leads to, but for those of which `skip` says that they belong to another page. Dynamic
 * imports count: one that waits for a click looks like one that is loaded at once.
 */
function loadedChunks(bundle: Bundle, skip: (chunk: Chunk) => boolean): Chunk[] {
  const loaded = new Set<Chunk>();
  const add = (chunk: Bundle[string] | undefined) => {
    if (chunk?.type !== "chunk" || loaded.has(chunk) || skip(chunk)) return;
    loaded.add(chunk);
    for (const name of [...chunk.imports, ...chunk.dynamicImports]) add(bundle[name]);
  };
  for (const chunk of Object.values(bundle)) if (chunk.type === "chunk" && chunk.isEntry) add(chunk);
  return [...loaded];
}

/** Bytes of JavaScript and of CSS in these chunks, each file compressed by itself. */
function sizes(bundle: Bundle, chunks: Chunk[]): { script: number; style: number } {
  const styles = new Set(chunks.flatMap((chunk) => [...(chunk.viteMetadata?.importedCss ?? [])]));
  const assets = [...styles].flatMap((name) => (bundle[name]?.type === "asset" ? [bundle[name]] : []));
  return {
    script: total(chunks.map(({ code }) => gzipBytes(code))),
    style: total(assets.map(({ source }) => gzipBytes(source))),
  };
}

/** Bytes of JavaScript that a file of this folder is built to by the same toolchain. */
async function floorBytes(name: string): Promise<number> {
  const input = fileURLToPath(new URL(name, import.meta.url));
  const built = await build({
    configFile: false,
    logLevel: "silent",
    plugins: [react()],
    build: { write: false, target: "es2022", rolldownOptions: { input } },
  });
  const { output } = [built].flat()[0] as Rolldown.RolldownOutput;
  return total(output.map((file) => (file.type === "chunk" ? gzipBytes(file.code) : 0)));
}

function pagesOf(bundle: Bundle): string[] {
  const modules = Object.values(bundle).flatMap((file) => (file.type === "chunk" ? file.moduleIds : []));
  return modules.filter((id) => PAGE.test(id)).sort();
}

export function budget(): Plugin {
  return {
    name: "peerwatt-budget",
    apply: "build",
    enforce: "post",
    async generateBundle(_, bundle) {
      const reactFloor = await floorBytes("floor-react.tsx");
      const appFloor = await floorBytes("floor-app.tsx");
      this.info(`floor: React ${inKb(reactFloor)}, with router and queries ${inKb(appFloor)}`);
      const pages = pagesOf(bundle);
      const over: string[] = [];
      for (const page of pages) {
        const isSignIn = basename(page) === SIGN_IN_PAGE;
        const isOther = (id: string) =>
          isSignIn ? SIGNED_IN.test(id) : PAGE.test(id) && id !== page && basename(id) !== SIGN_IN_PAGE;
        const { script, style } = sizes(
          bundle,
          loadedChunks(bundle, (chunk) => chunk.moduleIds.some(isOther)),
        );
        const most = isSignIn ? reactFloor + SIGN_IN_BYTES : PAGE_BYTES;
        const line = `${basename(page, ".tsx")}: ${inKb(script)} of JavaScript, at most ${inKb(most)}; ${inKb(style)} of CSS`;
        if (script > most) over.push(line);
        this.info(line);
      }
      if (over.length > 0) this.error(`over the budget: ${over.join("; ")}`);
    },
  };
}
