import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { Plugin } from "vite";

/** File types that shrink; images and fonts are compressed already. */
const COMPRESSIBLE = /\.(html|js|css|svg|json|txt|webmanifest)$/;
/** Below this a compressed copy saves less than the headers of the answer. */
const SMALLEST_BYTES = 512;

const gzipAsync = promisify(gzip);
const brotliAsync = promisify(brotliCompress);

/** Writes `.br` and `.gz` next to every built file that shrinks, so that the server never compresses. */
export function precompress(): Plugin {
  let folder = "dist";
  return {
    name: "precompress",
    apply: "build",
    configResolved(config) {
      folder = config.build.outDir;
    },
    async closeBundle() {
      await compressFolder(folder);
    },
  };
}

async function compressFolder(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true })) {
    const path = join(folder, entry);
    if (!COMPRESSIBLE.test(path) || !(await stat(path)).isFile()) continue;
    const plain = await readFile(path);
    if (plain.length < SMALLEST_BYTES) continue;
    const zipped = await gzipAsync(plain, { level: 9 });
    const brotli = await brotliAsync(plain, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length },
    });
    if (zipped.length < plain.length) await writeFile(`${path}.gz`, zipped);
    if (brotli.length < plain.length) await writeFile(`${path}.br`, brotli);
  }
}
