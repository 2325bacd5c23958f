/**
 * Builds the page: `node build.mjs [FOLDER]`, from `src/` into `dist/` or the folder.
 *
 * Everything under `assets/` has a hash of its content in its name; `index.html`, `manifest.webmanifest`, `sw.js` and
 * `THIRD_PARTY_LICENSES.txt` stand beside it. What compresses is there as `.br` and `.gz`, too.
 */

import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const ROOT = dirname(fileURLToPath(import.meta.url));
const SOURCES = join(ROOT, "src");
const OUT = process.argv[2] ?? join(ROOT, "dist");
const ICONS = {
  "icon.svg": { sizes: "any", type: "image/svg+xml", purpose: "any" },
  "icon-192.png": { sizes: "192x192", type: "image/png", purpose: "any" },
  "icon-512.png": { sizes: "512x512", type: "image/png", purpose: "any" },
  "maskable-512.png": { sizes: "512x512", type: "image/png", purpose: "maskable" },
};
const TOUCH_ICON = "touch-180.png";
/** Of what is compressed already there is no smaller form. */
const COMPRESSED = new Set([".html", ".js", ".css", ".svg", ".webmanifest", ".txt"]);
/** Below it a file fits into a packet either way. */
const COMPRESSED_BYTES_MIN = 1_000;
const COMMON = {
  bundle: true,
  minify: true,
  charset: "utf8",
  target: "es2022",
  legalComments: "none",
  metafile: true,
  absWorkingDir: ROOT,
  logLevel: "warning",
};

async function main() {
  await rm(OUT, { recursive: true, force: true });
  await mkdir(join(OUT, "assets"), { recursive: true });
  const metafile = await bundle();
  const first = await bundleFirst();
  const icons = await copyIcons();
  await write("manifest.webmanifest", manifest(icons));
  await write("index.html", await index(metafile, first, icons));
  const worker = await bundleWorker();
  await write("THIRD_PARTY_LICENSES.txt", await licences([metafile, worker]));
  await compress();
}

const write = (name, content) => writeFile(join(OUT, name), content);

const hash = (content) => createHash("sha256").update(content).digest("hex").slice(0, 12);

/** The page's scripts and styles, with chunks for what is loaded later. */
async function bundle() {
  const { metafile } = await build({
    ...COMMON,
    entryPoints: [join(SOURCES, "main.tsx")],
    outdir: join(OUT, "assets"),
    format: "esm",
    splitting: true,
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
    publicPath: "/assets",
    jsx: "automatic",
    jsxImportSource: "preact",
    define: { "process.env.NODE_ENV": '"production"' },
    loader: { ".svg": "file", ".png": "file", ".webp": "file", ".woff2": "file" },
  });
  return metafile;
}

/** What runs before the first paint, a script of its own: where it is served. */
async function bundleFirst() {
  const { metafile } = await build({
    ...COMMON,
    entryPoints: [join(SOURCES, "first.ts")],
    outdir: join(OUT, "assets"),
    entryNames: "[name]-[hash]",
    format: "iife",
  });
  return served(Object.keys(metafile.outputs)[0]);
}

/** By name: where the icon is served. */
async function copyIcons() {
  const served = {};
  for (const name of [...Object.keys(ICONS), TOUCH_ICON]) {
    const content = await readFile(join(SOURCES, "icons", name));
    const extension = extname(name);
    served[name] = `/assets/${basename(name, extension)}-${hash(content)}${extension}`;
    await write(served[name].slice(1), content);
  }
  return served;
}

function manifest(icons) {
  return JSON.stringify({
    id: "/",
    name: "PerSplit",
    short_name: "PerSplit",
    description: "Split expenses with friends. Everybody sees the same balances at once.",
    start_url: "/",
    scope: "/",
    display: "standalone",
    background_color: "#0f1715",
    theme_color: "#0b6b57",
    categories: ["finance", "travel"],
    icons: Object.entries(ICONS).map(([name, kind]) => ({ src: icons[name], ...kind })),
  });
}

/** The page's frame: with what it needs at first, asked for at once rather than one import after the other. */
async function index(metafile, first, icons) {
  const outputs = Object.entries(metafile.outputs);
  const [entry, { cssBundle }] = outputs.find(([, it]) => it.entryPoint === "src/main.tsx");
  const stray = outputs.filter(([path]) => path.endsWith(".css") && path !== cssBundle).map(([path]) => basename(path));
  if (stray.length > 0) throw new Error(`nobody would load ${stray.join(", ")}: import all styles in src/main.tsx`);
  const styles = cssBundle === undefined ? [] : [`<link rel="stylesheet" href="${served(cssBundle)}" />`];
  const head = [
    `<script src="${first}"></script>`,
    '<link rel="manifest" href="/manifest.webmanifest" />',
    `<link rel="icon" href="${icons["icon.svg"]}" type="image/svg+xml" />`,
    `<link rel="apple-touch-icon" href="${icons[TOUCH_ICON]}" />`,
    ...styles,
    ...firstImports(metafile, entry).map((path) => `<link rel="modulepreload" href="${served(path)}" />`),
    `<script type="module" src="${served(entry)}"></script>`,
  ];
  const frame = await readFile(join(SOURCES, "index.html"), "utf8");
  if (!frame.includes("</head>")) throw new Error("src/index.html has no </head>");
  return frame.replace("</head>", () => `  ${head.join("\n    ")}\n  </head>`);
}

const served = (path) => `/assets/${basename(path)}`;

/** What the output imports statically, and what that imports. */
function firstImports(metafile, entry) {
  const found = new Set();
  const waiting = [entry];
  while (waiting.length > 0) {
    for (const { path, kind } of metafile.outputs[waiting.pop()].imports) {
      if (kind !== "import-statement" || found.has(path)) continue;
      found.add(path);
      waiting.push(path);
    }
  }
  return [...found].sort();
}

/** The service worker, which knows all files of this version. */
async function bundleWorker() {
  const assets = (await readdir(join(OUT, "assets"))).sort().map((name) => `/assets/${name}`);
  const version = hash(assets.join("\n") + (await readFile(join(OUT, "index.html"), "utf8")));
  const { metafile } = await build({
    ...COMMON,
    entryPoints: [join(SOURCES, "sw/worker.ts")],
    outfile: join(OUT, "sw.js"),
    format: "iife",
    define: { FILES: JSON.stringify(["/", ...assets]), VERSION: JSON.stringify(version) },
  });
  return metafile;
}

/** Names, versions and licences of the packages of which something is in the page. */
async function licences(metafiles) {
  const folders = new Set();
  for (const { inputs } of metafiles) {
    for (const input of Object.keys(inputs)) {
      const found = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input);
      if (found !== null) folders.add(found[0]);
    }
  }
  const parts = await Promise.all([...folders].sort().map(licence));
  return `What others wrote, and is in the page.\n\n${parts.join("\n")}`;
}

async function licence(folder) {
  const { name, version, license } = JSON.parse(await readFile(join(ROOT, folder, "package.json"), "utf8"));
  const file = (await readdir(join(ROOT, folder))).find((it) => /^(licen[cs]e|copying)/i.test(it));
  if (file === undefined && license === undefined) throw new Error(`${name} names no licence`);
  const text = file === undefined ? "" : `\n${await readFile(join(ROOT, folder, file), "utf8")}`;
  return `=== ${name} ${version}: ${license}\n${text.trimEnd()}\n`;
}

async function compress() {
  const [zip, brotli] = [promisify(gzip), promisify(brotliCompress)];
  const entries = await readdir(OUT, { recursive: true });
  await Promise.all(
    entries
      .filter((name) => COMPRESSED.has(extname(name)))
      .map(async (name) => {
        const content = await readFile(join(OUT, name));
        if (content.length < COMPRESSED_BYTES_MIN) return;
        await write(`${name}.gz`, await zip(content, { level: 9 }));
        const params = { [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
        await write(`${name}.br`, await brotli(content, { params }));
      }),
  );
}

try {
  await main();
} catch (error) {
  // esbuild has said what is wrong with the sources.
  if (!Array.isArray(error.errors)) console.error(error);
  process.exit(1);
}
