/** The approval page as people use it: Chromium, a provider that signs them in, hoopd, psql that waits for a yes. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Chromium, type ScreenSize } from '../support/chromium.ts';
import type { RunningHoopctl } from '../support/run-hoopctl.ts';
import { type Stack, startStack } from '../support/stack.ts';

const POLICY = `
@id("work") permit (principal, action, resource);
@id("pii-is-masked") forbid (principal, action == Action::"reveal", resource) when { resource.tags.contains("pii.email") };
@id("dbas-approve") forbid (principal, action == Action::"approval.grant", resource)
unless { principal in Group::"auditors" };
@id("ddl-needs-a-dba") @approval("dba") @reason("schema changes are reviewed")
forbid (principal is Agent, action in [Action::"sql.ddl", Action::"sql.delete"], resource) unless { context.approvals.contains("dba") };`;
const SQL = `CREATE TABLE orders (id int PRIMARY KEY, placed date, total numeric, note text);
ALTER TABLE orders OWNER TO hoop;
CREATE TABLE customers (id int PRIMARY KEY, name text, email text, plan text);
CREATE TABLE visits (id int PRIMARY KEY, customer int REFERENCES customers ON DELETE CASCADE);
INSERT INTO customers VALUES (1, 'Maya', 'maya@example.com', 'free'), (2, 'Otto', 'otto@example.com', NULL);
INSERT INTO visits VALUES (1, 1), (2, 1);
GRANT ALL ON customers, visits TO hoop;`;
const AGAIN = `insert into customers values (1, 'Maya', 'maya@example.com', 'free');
insert into visits values (1, 1), (2, 1)`;
const WHY = 'ticket 4711: the archive job needs the year of each order as a column of its own';

const DESKTOP: ScreenSize = { width: 1280, height: 900 };
const PHONE: ScreenSize = { width: 390, height: 844, phone: true };
/** Where pictures go; the ones in docs are taken with PICTURES=docs/images. */
const PICTURES = process.env['PICTURES'];

let stack: Stack;
let browser: Chromium;
let ada: Record<string, string>;

beforeAll(async () => {
  stack = await startStack({ policy: POLICY, sql: SQL, page: true, host: 'localhost' });
  ada = await stack.person('ada', ['--agent', 'copilot']);
});
afterAll(() => stack?.stop());

beforeEach(async () => {
  browser = await Chromium.start(readFileSync(join(stack.directory, 'tls.crt'), 'utf8'));
  return () => browser.stop();
});

/** psql of Ada's agent, which waits. */
async function asked(sql: string): Promise<{ readonly psql: RunningHoopctl; readonly id: string }> {
  const command = ['psql', '-X', '-w', '-At', '-c', sql];
  const psql = stack.start(['connect', 'pg', '--reason', WHY, '--', ...command], ada);
  // The client is told where to look at it.
  const [, id = ''] = await psql.until(/https:\S+\/approvals\/(apr_\w{26})/, 'stderr');
  return { psql, id };
}

/** Otto signs in at the provider's own pages. */
async function signIn(address: string): Promise<void> {
  await browser.open(address);
  await browser.shows('Sign in');
  await browser.click('main a.button');
  await browser.shows('/interaction/');
  await browser.click('input[name="login"]');
  await browser.type('otto');
  await browser.click('input[name="password"]');
  await browser.type('any');
  await browser.click('button[type="submit"]');
  await browser.shows('Continue');
  await browser.click('button[type="submit"]');
}

/** How far it must be scrolled sideways. */
const wide = () => browser.value<number>('document.documentElement.scrollWidth - window.innerWidth');

/** Texts whose colour differs too little from what is behind it (WCAG 2.2, 1.4.3), and targets that a thumb misses. */
const faults = () =>
  browser.value<string[]>(`(() => {
    const light = (rgb) => { const [r, g, b] = rgb.map((v) => { const c = v / 255;
      return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4 }); return 0.2126 * r + 0.7152 * g + 0.0722 * b };
    const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
    const behind = (one) => { for (let at = one; at; at = at.parentElement) { const c = rgb(getComputedStyle(at).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c.slice(0, 3) } return [255, 255, 255] };
    const found = [];
    for (const one of document.querySelectorAll('body *')) {
      if (![...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '')) continue;
      const [a, b] = [light(rgb(getComputedStyle(one).color).slice(0, 3)), light(behind(one))].sort((x, y) => y - x);
      if ((a + 0.05) / (b + 0.05) < 4.5) found.push('contrast: ' + one.outerHTML.slice(0, 80));
    }
    for (const one of document.querySelectorAll('button, a.button, input:not([type=hidden]), ul.list a'))
      if (one.getBoundingClientRect().height < 34) found.push('small: ' + one.outerHTML.slice(0, 80));
    for (const one of document.querySelectorAll('input:not([type=hidden])'))
      if (one.labels.length === 0) found.push('no label: ' + one.outerHTML.slice(0, 80));
    return found })()`);

async function picture(name: string): Promise<void> {
  if (PICTURES === undefined) return;
  const file = join(PICTURES, `${name}.png`);
  await browser.picture(file);
  expect(statSync(file).size).toBeLessThan(250_000);
}

describe.each([
  ['a desktop', DESKTOP, 'desktop'],
  ['a phone', PHONE, 'phone'],
] as const)('on %s', (_, size, name) => {
  test('a person signs in, sees what is asked, says yes, and psql goes on', async () => {
    await browser.size(size);
    const columns = `ADD COLUMN year_${name} int,\n  ADD COLUMN note_${name} text DEFAULT 'n/a'`;
    const { psql, id } = await asked(`ALTER TABLE orders\n  ${columns};`);
    const page = `${stack.url}/approvals/${id}`;
    await signIn(page);
    await browser.shows(page);
    await browser.shows('Approve as dba');
    await browser.shows('What it would change cannot be counted: only rows are counted that are changed');
    expect(await browser.value('document.querySelectorAll(\'form[action$="/try"]\').length')).toBe(0);
    for (const dark of [true, false]) {
      await browser.dark(dark);
      expect([await wide(), await faults()]).toEqual([0, []]);
      await picture(`approval-page-${name}${dark ? '-dark' : ''}`);
    }
    await browser.click('form[action$="/approve"] button');
    await browser.shows('approved');
    expect(await psql.finished).toMatchObject({ exitCode: 0, stdout: 'ALTER TABLE\n' });
    expect(browser.complaints).toEqual([]);
  });

  test('what a change would do is counted on the page, undone, and then said yes to', async () => {
    await browser.size(size);
    const { psql, id } = await asked('delete from customers where id = 1');
    await signIn(`${stack.url}/approvals/${id}`);
    await browser.shows('Count what it would change');
    await browser.click('form[action$="/try"] button');
    await browser.shows('DELETE of 1 row. It was undone; nothing was kept.');
    await browser.shows('public.visits\t0\t0\t2');
    await browser.shows('The first row of public.customers');
    await browser.shows("name\t'Maya'");
    await browser.shows('email\t*** (masked)');
    expect(await browser.value('document.body.innerText')).not.toContain("'maya@");
    expect(await stack.postgres.psql('select count(*) from visits')).toBe('2');
    expect([await wide(), await faults()]).toEqual([0, []]);
    await picture(`approval-counted-${name}`);
    await browser.click('form[action$="/approve"] button');
    await browser.shows('approved');
    expect(await psql.finished).toMatchObject({ exitCode: 0, stdout: 'DELETE 1\n' });
    expect(await stack.postgres.psql('select count(*) from visits')).toBe('0');
    await stack.postgres.psql(AGAIN);
    expect(browser.complaints).toEqual([]);
  });

  test('a long list and a long line keep their place, and a no is said by keyboard alone', async () => {
    await browser.size(size);
    const line = `comment on table orders is '${'wide'.repeat(300)}'`;
    const { psql, id } = await asked(line);
    await signIn(`${stack.url}/approvals`);
    await browser.shows('Waiting for you');
    expect([await wide(), await faults()]).toEqual([0, []]);
    await picture(`approval-list-${name}`);
    await browser.click(`a[href$="${id}"]`);
    await browser.shows('Approve as dba');
    expect([await wide(), await faults()]).toEqual([0, []]);
    const focused = () =>
      browser.value<string>('document.activeElement.id || document.activeElement.className');
    for (let tabs = 0; tabs < 12 && (await focused()) !== 'reason'; tabs++) await browser.key('Tab');
    expect(await focused()).toBe('reason');
    await browser.type('say it in the ticket');
    await browser.key('Tab');
    expect(await focused()).toBe('no');
    await browser.key('Enter');
    await browser.shows('say it in the ticket');
    await browser.shows('denied');
    const { exitCode, stderr } = await psql.finished;
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('say it in the ticket');
    await browser.click('header button');
    await browser.shows('Sign in');
    expect(browser.complaints).toEqual([]);
  });

  test('a list shows what is new in its place, and keeps the focus where it is', async () => {
    await browser.size(size);
    const { id } = await asked('comment on table orders is $$first$$');
    await signIn(`${stack.url}/approvals`);
    await browser.shows('first');
    await browser.value(`window.loaded = 'once'; document.querySelector('a[href$="${id}"]').focus()`);
    // Another screen's has that word too.
    const second = `second ${id}`;
    const { psql, id: other } = await asked(`comment on table orders is $$${second}$$`);
    await browser.shows(second);
    const focused = await browser.value<string>('document.activeElement.getAttribute("href")');
    expect([focused, await browser.value('window.loaded')]).toEqual([`/approvals/${id}`, 'once']);
    expect(await browser.value<string>('document.querySelector("header [role=status]").textContent')).toMatch(
      /^\(\d+\) Approvals/,
    );
    // A keyboard goes on from there.
    await browser.key('Enter');
    await browser.shows('Approve as dba');
    await browser.open(`${stack.url}/approvals/${other}`);
    await browser.shows('Approve as dba');
    await browser.click('#reason');
    await browser.type('half a sen');
    psql.child.kill('SIGINT');
    await psql.finished;
    await browser.shows('This request has changed since you opened it.');
    expect(await browser.value('document.querySelector("#reason").value')).toBe('half a sen');
    expect([await wide(), await faults()]).toEqual([0, []]);
    await browser.click('form[action$="/deny"] button');
    await browser.shows('This request is cancelled');
    expect(browser.complaints).toEqual([]);
  });
});
