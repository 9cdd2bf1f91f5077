// Result folders, pages of them, and a browser: what the browser's tests and the screenshots share.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

export const source = join(dirname(fileURLToPath(import.meta.url)), '../../..');
const build = process.env.IBAKELAB_BUILD ?? join(source, 'build');
const ibakelab = join(build, 'ibakelab');

export class Pages {
  constructor() {
    this.dir = mkdtempSync(join(tmpdir(), 'ibakelab-page-'));
  }

  /** A result folder with this result.json. */
  folder(name, result) {
    const dir = join(this.dir, name);
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'result.json'), JSON.stringify(result));
    return dir;
  }

  /** A folder that a real run of a scenario leaves behind. */
  run(scenario) {
    const dir = join(this.dir, scenario.replace(/\W+/g, '-'));
    if (existsSync(dir)) return dir;
    execFileSync(ibakelab, ['run', join('scenarios', scenario), '--out', dir, '--keylog'], { cwd: source, stdio: 'ignore' });
    return dir;
  }

  /** A search for attacks that broke something, with the run that shows it and its twin. */
  attack(result) {
    cpSync(this.run('attacks/replaced-initiator-point-without-echo.yaml'), join(this.dir, 'attack/run'), { recursive: true });
    cpSync(this.run('attacks/replaced-initiator-point.yaml'), join(this.dir, 'attack/twin'), { recursive: true });
    return this.folder('attack', result);
  }

  /** Writes the page of these folders; its path. */
  page(name, dirs) {
    const out = join(this.dir, `${name}.html`);
    execFileSync(ibakelab, ['report', ...dirs, '--html', out], { stdio: ['ignore', 'ignore', 'pipe'] });
    return out;
  }

  remove() {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export function launch() {
  const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
  if (!executablePath) throw new Error('no Chromium: scripts/setup installs it');
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--no-first-run'] });
}

/** Opens a page and waits until it is drawn; errors of the page, its policy's among them, are collected in `errors`. */
export async function open(browser, file, { hash = '', ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const errors = [];
  page.on('console', (m) => { if (m.type() === 'error' || m.type() === 'warning') errors.push(m.text()); });
  page.on('pageerror', (e) => errors.push(String(e)));
  await page.goto(pathToFileURL(file).href + hash);
  if (options.javaScriptEnabled !== false) await page.waitForSelector('#app[data-ready]', { timeout: 30000 });
  return { page, errors, close: () => context.close() };
}
