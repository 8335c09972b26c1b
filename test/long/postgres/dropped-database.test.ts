/** A database that goes from under its sessions: what these are told, and what is told to whoever comes after them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ReportField, reportText } from '../../../src/wire/postgres/report.ts';
import { line, query, type RawClient, rawLogin } from '../../support/postgres/raw-client.ts';
import { freePort, startStandby } from '../../support/postgres/server.ts';
import { ALLOW_ALL, type Stack, startStack, type Tunnel } from '../../support/stack.ts';

const MASKED = `${ALLOW_ALL}
@id("masked") @mask("redact") forbid (principal, action == Action::"reveal", resource is Column)
when { resource.tags.contains("handle") };`;
/** The last one has something masked. */
const COPIES = ['copy', 'copy-masked'];

let stack: Stack;
let stopStandby: (() => Promise<void>) | undefined;
let tunnels: readonly Tunnel[];

beforeAll(async () => {
  const port = await freePort();
  stack = await startStack({
    policy: MASKED,
    sql: 'CREATE TABLE t (email text); GRANT ALL ON t TO hoop',
    columns: { 'public.t.email': ['handle'] },
    resources: ({ host, caFile }) => {
      const copy = (name: string) => `
  ${name}:
    protocol: postgres
    target: { host: ${host}, port: ${port}, database: shop, tls: verify-full, caFile: ${caFile} }
    credentials: { user: hoop, password: { file: ./pg.password } }`;
      return `${COPIES.map(copy).join('')}
    classification: { columns: { public.t.email: [handle] } }`;
    },
  });
  stopStandby = await startStandby(stack.postgres, port);
  tunnels = await Promise.all(['pg', ...COPIES].map((one) => stack.tunnelTo(one)));
});

afterAll(async () => {
  await Promise.all((tunnels ?? []).map((one) => one.close()));
  await stopStandby?.();
  await stack?.stop();
});

/** What the session is told at its end, which comes next. */
async function lastWord(session: RawClient) {
  const messages = await session.until('ErrorResponse');
  const last = messages.at(-1) as { readonly name: 'ErrorResponse'; readonly fields: readonly ReportField[] };
  expect(await session.next()).toBeUndefined();
  return { line: line(last), next: JSON.parse(reportText(last, 'H') ?? '') };
}

test('of a copy that follows: 57P04 by its server, report. Of the server itself: 57P01. Both are reached no more, and the log says why', async () => {
  const [first, ...copies] = await Promise.all(tunnels.map((one) => rawLogin(one)));
  for (const one of [first!, ...copies])
    expect(await one.ask(query('SELECT * FROM t'))).toContain('ReadyForQuery I');
  await stack.postgres.psql('DROP DATABASE shop WITH (FORCE)', { database: 'postgres' });
  expect(await lastWord(first!)).toMatchObject({ line: 'ErrorResponse 57P01', next: { next: 'reconnect' } });
  for (const copy of copies)
    expect(await lastWord(copy)).toEqual({
      line: 'ErrorResponse 57P04',
      next: {
        rule: 'ERR_TARGET_LOST',
        reason: 'the target ended the session',
        hint: 'the database is there no more: tell whom you work for',
        next: 'report',
        retryable: false,
      },
    });
  const from = stack.hoopd.log.length;
  for (const resource of ['pg', ...COPIES]) {
    const { exitCode, stderr } = await stack.hoopctl([
      'connect',
      resource,
      '--',
      'psql',
      '-X',
      '-w',
      '-c',
      'SELECT 1',
    ]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('FATAL:  the target cannot be reached');
    expect(stderr).toContain('ask the operator of the gateway: its log says why, for session ses_');
  }
  const logged = stack.hoopd.log.slice(from);
  expect(logged.match(/3D000: database \\"shop\\" does not exist/g)?.length).toBeGreaterThanOrEqual(3);
}, 60_000);
