/** The approval page as people use it: Chromium, a provider that signs them in, hoopd, psql that waits for a yes. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Chromium, type ScreenSize } from '../support/chromium.ts';
import type { RunningHoopctl } from '../support/run-hoopctl.ts';
import { type Stack, startStack } from '../support/stack.ts';

const POLICY = `
@id("work") permit (principal, action, resource);
@id("dbas-approve") forbid (principal, action == Action::"approval.grant", resource)
unless { principal in Group::"auditors" };
@id("ddl-needs-a-dba") @approval("dba") @reason("schema changes are reviewed")
forbid (principal is Agent, action in Action::"sql.ddl", resource) unless { context.approvals.contains("dba") };`;
const SQL = `CREATE TABLE orders (id int PRIMARY KEY, placed date, total numeric, note text);
ALTER TABLE orders OWNER TO hoop;`;
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
  const [, id = ''] = await psql.until(/(apr_\w{26})/, 'stderr');
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

const wide = () => browser.value<number>('document.documentElement.scrollWidth - window.innerWidth');

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
    await browser.shows(`${page}`);
    await browser.shows('Approve');
    expect(await wide()).toBe(0);
    if (PICTURES !== undefined) {
      const file = join(PICTURES, `approval-page-${name}.png`);
      await browser.picture(file);
      expect(statSync(file).size).toBeLessThan(200_000);
    }
    await browser.click('form[action$="/approve"] button');
    await browser.shows('approved');
    expect(await psql.finished).toMatchObject({ exitCode: 0, stdout: 'ALTER TABLE\n' });
    expect(browser.complaints).toEqual([]);
  });
});
