// Result folders, pages of them, and a browser: what the browser's tests and the screenshots share.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
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

/**
 * Opens a page and waits until it is drawn. `errors`: what the page complained of, breaches of its policy among them;
 * `requests`: what it asked for. `before` is given the page before anything of it runs; `wait: false` does not wait.
 */
export async function open(browser, file, { hash = '', before, wait = true, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const errors = [];
  const requests = [];
  page.on('console', (m) => { if (m.type() === 'error' || m.type() === 'warning') errors.push(m.text()); });
  page.on('pageerror', (e) => errors.push(String(e)));
  page.on('request', (r) => requests.push(r.url()));
  await before?.(page);
  await page.goto(pathToFileURL(file).href + hash);
  if (wait && options.javaScriptEnabled !== false) await page.waitForSelector('#app[data-ready="yes"]', { timeout: 30000 });
  return { page, errors, requests, close: () => context.close() };
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe-core finds against WCAG 2.2 AA and good practice, a line each. */
export async function axeViolations(page) {
  await page.evaluate(axe); // past the policy of the page, which permits its own script alone
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  return violations.flatMap((v) => v.nodes.slice(0, 3).map((n) => `${v.id}: ${n.target.join(' ')} (${n.failureSummary.split('\n')[1]?.trim()})`));
}
