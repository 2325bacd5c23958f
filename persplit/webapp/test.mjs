/**
 * Runs the unit tests: `node test.mjs [NAME…]`, all of `tests/` and `src/` that end in `.test.ts` or `.test.tsx`, or those
 * whose path has one of the names in it. They are bundled first, since Node.js runs no TypeScript of older versions.
 */

import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(fileURLToPath(import.meta.url));
const TEST = /\.test\.tsx?$/;

async function testsIn(folder) {
  const found = await readdir(join(ROOT, folder), { recursive: true }).catch(() => []);
  return found.filter((name) => TEST.test(name)).map((name) => join(folder, name));
}

const wanted = process.argv.slice(2);
const all = (await Promise.all(["src", "tests"].map(testsIn))).flat().sort();
const chosen = all.filter((path) => wanted.length === 0 || wanted.some((name) => path.includes(name)));
if (chosen.length === 0) {
  console.error("There are no such tests.");
  process.exit(wanted.length === 0 ? 0 : 1);
}
const made = await mkdtemp(join(tmpdir(), "persplit-page-tests-"));
try {
  await build({
    absWorkingDir: ROOT,
    entryPoints: chosen,
    outbase: ROOT,
    outdir: made,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node18",
    sourcemap: "inline",
    jsx: "automatic",
    jsxImportSource: "preact",
    loader: { ".css": "empty" },
    logLevel: "warning",
  });
  const files = chosen.map((path) => join(made, path.replace(/\.tsx?$/, ".mjs")));
  const run = spawnSync(process.execPath, ["--enable-source-maps", "--test", "--test-reporter=spec", ...files], { stdio: "inherit" });
  process.exitCode = run.status ?? 1;
} finally {
  await rm(made, { recursive: true, force: true });
}
