// Checks the types, then bundles the unit tests (*.test.ts) and runs them with Node's own test runner.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..');
execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--noEmit', '-p', root], { stdio: 'inherit' });

const out = mkdtempSync(join(tmpdir(), 'ibakelab-page-unit-'));
const files = readdirSync(here).filter((f) => f.endsWith('.test.ts'));
if (!files.length) throw new Error('no unit test found');
await build({ entryPoints: files.map((f) => join(here, f)), bundle: true, platform: 'node', format: 'esm', outdir: out, outExtension: { '.js': '.mjs' },
  jsx: 'automatic', jsxImportSource: 'preact', logLevel: 'warning', absWorkingDir: root });
const tests = files.map((f) => join(out, f.replace('.ts', '.mjs')));
const { status } = spawnSync(process.execPath, ['--test', ...tests], { stdio: 'inherit' });
rmSync(out, { recursive: true });
process.exit(status ?? 1);
