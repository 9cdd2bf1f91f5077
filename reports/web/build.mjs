// Bundles the page's script and style, and writes them as a C file: node build.mjs OUT.c
// With --dev it writes bundle.js and style.css beside OUT.c, too, for a look at them.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const [out, ...options] = process.argv.slice(2);
if (!out || options.some((o) => o !== '--dev')) {
  console.error('usage: node build.mjs OUT.c [--dev]');
  process.exit(2);
}

/** The licences of the packages that went into the bundle: whoever passes a page on passes them on. */
function licences(inputs) {
  const names = new Set(Object.keys(inputs).flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []));
  return [...names].sort().map((name) => {
    const dir = join(here, 'node_modules', name);
    const { version, license } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
    const file = ['LICENSE', 'LICENSE.md', 'license'].map((f) => join(dir, f)).find(existsSync);
    if (!file) throw new Error(`${name} has no licence beside it`);
    return `${name} ${version} (${license})\n\n${readFileSync(file, 'utf8').trim()}\n`;
  }).join('\n');
}

async function bundle(entry) {
  const result = await build({
    entryPoints: [join(here, entry)], bundle: true, minify: true, write: false, target: ['es2020'], format: 'iife', charset: 'ascii',
    legalComments: 'none', jsx: 'automatic', jsxImportSource: 'preact', logLevel: 'warning', define: { 'process.env.NODE_ENV': '"production"' },
    absWorkingDir: here, metafile: true,
  });
  const notice = licences(result.metafile.inputs).replace(/\*\//g, '* /').replace(/[^\x20-\x7e\n]/g, '');
  const text = (notice ? `/*\n${notice}*/\n` : '') + result.outputFiles[0].text.trim();
  // Inside the element that it stands in: nothing may end that element.
  if (/<\/(script|style)|<!--/i.test(text)) throw new Error(`${entry}: the bundle contains the end of a script or style element`);
  return Buffer.from(text);
}

const octets = (data) => Array.from(data, (b) => b).join(',').replace(/((?:\d+,){40})/g, '$1\n');
const hash = (data) => createHash('sha256').update(data).digest('base64'); // for the Content-Security-Policy

const script = await bundle('src/main.tsx');
const style = await bundle('src/style.css');
writeFileSync(out, `// Made by reports/web/build.mjs.
#include "reports/html_assets.h"

const html_asset html_script = {
    .data = (const unsigned char[]){${octets(script)}},
    .size = ${script.length}, .sha256 = "${hash(script)}"};
const html_asset html_style = {
    .data = (const unsigned char[]){${octets(style)}},
    .size = ${style.length}, .sha256 = "${hash(style)}"};
`);
if (options.includes('--dev')) {
  writeFileSync(join(dirname(out), 'bundle.js'), script);
  writeFileSync(join(dirname(out), 'style.css'), style);
}
