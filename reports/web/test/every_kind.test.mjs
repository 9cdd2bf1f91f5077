// Every kind of page, in light, in dark and on a phone: accessible by axe-core, nothing sticks out, nothing complains.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Pages, axeViolations, launch, open } from './fixture.mjs';
import * as samples from './samples.mjs';

const pages = new Pages();
let browser;
let several;

before(async () => {
  browser = await launch();
  several = pages.page('several', [
    pages.run('attacks/replaced-initiator-point.yaml'), pages.run('attacks/replaced-initiator-point-without-echo.yaml'), pages.folder('c1', samples.conformance('adapter-a', [3, 40])),
    pages.folder('c2', samples.conformance('adapter-b', [])), pages.folder('mutants', samples.mutants()), pages.folder('fuzz', samples.fuzz()),
    pages.folder('b0', samples.benchmark(0)), pages.folder('b1', samples.benchmark(1)), pages.folder('sweep', samples.sweep()), pages.attack(samples.attack()),
    pages.folder('calls', samples.run(300)), pages.run('basic/lossy-link.yaml'), pages.run('interception/a-passive-kms.yaml'),
  ]);
});
after(async () => {
  await browser?.close();
  pages.remove();
});

const PLACES = { overview: '', attacked: '#/0', conformance: '#/2', mutants: '#/4', fuzz: '#/5', benchmark: '#/6', sweep: '#/8', 'search for attacks': '#/9', 'many calls': '#/12', 'lossy': '#/13', 'intercepted': '#/14',
  twins: '#/compare/0/1', implementations: '#/compare/2/3', history: '#/compare/6/7', 'of different kinds': '#/compare/0/2' };
const SCREENS = { light: {}, dark: { colorScheme: 'dark' }, phone: { viewport: { width: 360, height: 740 } } };

for (const [name, hash] of Object.entries(PLACES))
  for (const [screen, options] of Object.entries(SCREENS))
    test(`${name}, ${screen}`, async () => {
      const { page, errors, close } = await open(browser, several, { hash, ...options });
      for (const opener of await page.locator('main .opener button, main .rung').all().then((list) => list.slice(0, 2))) await opener.click();
      for (const summary of await page.locator('main summary').all()) await summary.click();
      assert.deepEqual(await axeViolations(page), []);
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0, 'nothing sticks out');
      assert.deepEqual(errors, []);
      await close();
    });
