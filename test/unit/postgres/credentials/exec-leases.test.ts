import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventInput } from '../../../../src/audit/event.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { HoopError } from '../../../../src/core/errors.ts';
import { silentLog } from '../../../../src/core/log.ts';
import { ExecCredentials } from '../../../../src/protocols/postgres/credentials/exec-credentials.ts';
import type { LeaseFor } from '../../../../src/protocols/postgres/credentials/lease.ts';
import { eventually } from '../../../support/waiting.ts';

const LOGIN = '{"user":"v_1","password":"s3cret","lease":{"id":"l1","expiresIn":3600}}';

let dir: string;
let events: EventInput[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hoop-exec-'));
  events = [];
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Commands of a shell's that write down what they are asked. */
function credentials(script: string, options: { append?: (event: EventInput) => Promise<void> } = {}) {
  const shell = (then: string) => ['sh', '-c', `cat >> ${dir}/asked; ${then}`];
  const append = async (event: EventInput) => {
    events.push(event);
    await options.append?.(event);
    return undefined as never;
  };
  return new ExecCredentials({
    config: {
      kind: 'exec',
      exec: { command: shell(script), revoke: shell('true'), timeout: 10_000, env: [] },
      role: undefined,
    },
    resource: 'pg',
    environment: process.env,
    clock: systemClock,
    log: silentLog,
    audit: { append },
  });
}

function whom(signal = new AbortController().signal): LeaseFor {
  const actor = { kind: 'agent', name: 'a "quoted" name', person: 'ada', instance: 'ins_1' };
  const session = { id: 'ses_1', actor } as unknown as LeaseFor['session'];
  return { session, deadline: Date.now() + 3_600_000, signal, log: silentLog };
}

const asked = () =>
  readFileSync(join(dir, 'asked'), 'utf8')
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { action: string; user?: string; actor?: { name: string } });
const actions = () => asked().map(({ action }) => action);

describe('a lease from a command', () => {
  it('is let go of once, however often that is said', async () => {
    const one = credentials(`echo '${LOGIN}'`);
    const lease = await one.lease(whom());
    expect([lease.user, lease.password.expose()]).toEqual(['v_1', 's3cret']);
    lease.release();
    lease.release();
    await one.close();
    expect(actions()).toEqual(['issue', 'revoke']);
    expect(asked()[0]?.actor?.name).toBe('a "quoted" name');
    expect(asked()[1]).toMatchObject({ user: 'v_1', lease: { id: 'l1' } });
    expect(events.map(({ type }) => type)).toEqual(['lease.begun', 'lease.ended']);
    expect(JSON.stringify(events)).not.toContain('s3cret');
  });

  it('is not waited for by a session that is told to end, and is taken back when it comes', async () => {
    const one = credentials(`while [ ! -e ${dir}/go ]; do sleep 0.05; done; echo '${LOGIN}'`);
    const controller = new AbortController();
    const leasing = one.lease(whom(controller.signal));
    await eventually('it is asked for', () => existsSync(join(dir, 'asked')));
    controller.abort(new HoopError('ERR_REVOKED'));
    await expect(leasing).rejects.toMatchObject({ code: 'ERR_REVOKED' });
    writeFileSync(join(dir, 'go'), '');
    await eventually('it is taken back', actions, ({ length }) => length === 2);
    await one.close();
    expect(actions()).toEqual(['issue', 'revoke']);
  });

  it('is none where it cannot be on record', async () => {
    const append = async ({ type }: EventInput) => {
      if (type === 'lease.begun') throw new HoopError('ERR_AUDIT_UNAVAILABLE');
    };
    const one = credentials(`echo '${LOGIN}'`, { append });
    await expect(one.lease(whom())).rejects.toMatchObject({ code: 'ERR_AUDIT_UNAVAILABLE' });
    await one.close();
    expect(actions()).toEqual(['issue', 'revoke']);
  });

  it('is left to nobody when the gateway stops: neither one that is held nor one that is on its way', async () => {
    const one = credentials(`[ -e ${dir}/slow ] && sleep 0.3; echo '${LOGIN}'`);
    await one.own();
    writeFileSync(join(dir, 'slow'), '');
    const late = one.own();
    const refused = expect(late).rejects.toMatchObject({ code: 'ERR_SESSION_ENDED' });
    await one.close();
    await refused;
    expect(actions().toSorted()).toEqual(['issue', 'issue', 'revoke', 'revoke']);
    expect(asked().every(({ actor }) => actor === undefined)).toBe(true);
  });
});
