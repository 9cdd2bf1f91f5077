// Screenshots of every kind of page, to be looked at: node test/shots.mjs OUTDIR
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Pages, launch, open } from './fixture.mjs';
import * as samples from './samples.mjs';

const out = process.argv[2];
if (!out) {
  console.error('usage: node test/shots.mjs OUTDIR');
  process.exit(2);
}
mkdirSync(out, { recursive: true });
const pages = new Pages();
const on = pages.run('attacks/replaced-initiator-point.yaml');
const off = pages.run('attacks/replaced-initiator-point-without-echo.yaml');
const files = {
  run: pages.page('run', [pages.run('basic/first-call.yaml')]),
  lossy: pages.page('lossy', [pages.run('basic/lossy-link.yaml')]),
  kms: pages.page('kms', [pages.run('attacks/active-kms-man-in-the-middle.yaml')]),
  twin: pages.page('twin', [on, off]),
  many: pages.page('many', [pages.folder('many', samples.run(10000))]),
  sweep: pages.page('sweep', [pages.folder('sweep', samples.sweep())]),
  conformance: pages.page('conformance', [pages.folder('c1', samples.conformance('adapter-a', [3, 40]))]),
  several: pages.page('several', [on, off, pages.folder('c1', samples.conformance('adapter-a', [3, 40])), pages.folder('c2', samples.conformance('adapter-b', [])),
    pages.folder('m', samples.mutants()), pages.folder('f', samples.fuzz()), ...[0, 1, 2, 3].map((i) => pages.folder(`b${i}`, samples.benchmark(i))), pages.attack(samples.attack())]),
};
const phone = { viewport: { width: 390, height: 844 } };
const kinds = [
  ['run', 'run'], ['kms', 'kms'], ['twin', 'twin', '#/compare/0/1'], ['attacked', 'twin', '#/0'], ['sweep', 'sweep'], ['conformance', 'conformance'], ['overview', 'several'],
  ['compare-conformance', 'several', '#/compare/2/3'], ['mutants', 'several', '#/4'], ['fuzz', 'several', '#/5'], ['benchmark', 'several', '#/6'],
  ['history', 'several', '#/compare/6/7/8/9'], ['attack', 'several', '#/10'],
];
const ways = { '': {}, '-dark': { colorScheme: 'dark' }, '-phone': phone, '-print': { media: 'print' } };
const views = [
  ...kinds.flatMap(([name, file, hash = '']) => Object.entries(ways).map(([way, options]) => [name + way, file, { ...options, hash }])),
  ['lossy', 'lossy'], ['many', 'many'], ['kms-message', 'kms', {}, '[data-row="0"]'], ['run-message', 'run', {}, '[data-row="0"]'], ['run-message-phone', 'run', phone, '[data-row="0"]'],
  ['conformance-case', 'conformance', {}, '#cases .opener button'],
  ...['run', 'kms', 'sweep', 'several'].map((file) => [`${file}-no-script`, file, { javaScriptEnabled: false }]),
];
const browser = await launch();
for (const [name, file, { media, ...options } = {}, click] of views) {
  const { page, errors, close } = await open(browser, files[file], options);
  if (media) await page.emulateMedia({ media });
  if (click) await page.click(click);
  await page.screenshot({ path: join(out, `${name}.png`), fullPage: !click || !click.startsWith('[data'), timeout: 60000 });
  if (errors.length) console.log(name, errors);
  await close();
}
await browser.close();
pages.remove();
