/** PG-L12: what the gateway keeps and tells of a statement shows no more than the client was shown. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bind, execute, parse, query, type RawClient, sync } from '../../../support/postgres/raw-client.ts';
import { eventually } from '../../../support/waiting.ts';
import { type Attack, must } from '../../attack.ts';
import { disguiseOf } from '../../leak.ts';
import type { World } from '../../world.ts';
import { EMAIL, PAN, SSN } from './world.ts';

const SECRETS = [SSN, EMAIL, PAN];

/** Literals, parameters, answers and errors that hold what is masked; each has a name in it by which it can be looked up. */
async function everything(client: RawClient, name: string): Promise<void> {
  const returned = `RETURNING id AS ${name}`;
  await client.ask(query(`SELECT ssn, email, 1 AS ${name} FROM customers`));
  await client.ask(query(`SELECT 1 AS ${name} FROM customers WHERE ssn = '${SSN}'`));
  await client.ask(query(`UPDATE customers SET email = '${EMAIL}' WHERE id = 1 ${returned}`));
  await client.ask(query(`INSERT INTO orders VALUES (90, 1, ${PAN}, 'new') ${returned}`));
  await client.ask(query(`SELECT '${SSN}'::int AS ${name}`));
  const values = [SSN, EMAIL];
  const bound = [parse('', `SELECT 1 AS ${name} WHERE $1::text <> $2::text`), bind('', '', { values })];
  await client.ask(...bound, execute(''), sync);
  await client.ask(query(`SELECT 1 AS ${name}, '${SSN}`));
  await client.ask(query(`COPY (SELECT 1 AS ${name}, ssn FROM customers) TO STDOUT`));
}

/** Of these eight, as many at least are told with their names: of what is not read, the text is not kept. */
const TOLD = 5;

/** Every octet below a directory. */
function files(directory: string): Buffer {
  const all = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  return Buffer.concat(all.map((one) => readFileSync(join(one.parentPath, one.name))));
}

function mustHold(where: string, told: string, marker: string): void {
  must(told.includes(marker), `dead: ${where} does not tell of it`);
  mustHide(where, told);
}

function mustHide(where: string, told: string | Buffer): void {
  for (const secret of SECRETS) {
    const found = disguiseOf(Buffer.from(told), secret);
    const line =
      String(told)
        .split('\n')
        .find((one) => one.includes(secret)) ?? '';
    must(found === undefined, `${where} shows ${secret}, ${found}: ${line.slice(0, 300)}`);
  }
}

async function run(world: World, env: Record<string, string>, ...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await world.stack.hoopctl(args, env);
  must(exitCode === 0, `hoopctl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

export const TELEMETRY: readonly Attack[] = [
  {
    id: 'PG-L12',
    case: 'audit, recording, export, logs and files, for an auditor who may see no values',
    run: async (world) => {
      const marker = `told_${world.major}`;
      const direct = await world.direct();
      await everything(direct, marker);
      await direct.ask(query('DELETE FROM orders WHERE id = 90'));
      must(disguiseOf(direct.received, SSN) !== undefined, 'dead: the server itself shows nothing');
      const client = await world.through();
      await everything(client, marker);
      client.close();
      const otto = await world.stack.person('otto');
      const search = () => run(world, otto, 'audit', 'search', marker, '--json', '--limit', '200');
      const found = await eventually('all of it is on record', search, (told) => {
        return told.split('\n').length > TOLD;
      });
      mustHold('the audit', found, marker);
      const session = /"session":"(ses_\w+)"/.exec(found)?.[1] ?? '';
      const event = /"id":"(evt_\w+)"/.exec(found)?.[1] ?? '';
      mustHide('an event', await run(world, otto, 'audit', 'show', event, '--json'));
      await eventually(
        'the session has ended',
        () => run(world, otto, 'session', 'show', session, '--json'),
        (told) => told.includes('"endedAt"') || told.includes('ended'),
      );
      mustHold('the replay', await run(world, otto, 'session', 'replay', session, '--json'), marker);
      mustHold('the export', await run(world, otto, 'audit', 'export'), marker);
      mustHide('the list of sessions', await run(world, otto, 'session', 'list', '--json'));
      const { directory, hoopd } = world.stack;
      mustHide("hoopd's log", hoopd.log);
      mustHide("hoopd's state", files(join(directory, 'state')));
      mustHide('the recordings', files(join(directory, 'recordings')));
      await world.look('DELETE FROM orders WHERE id = 90');
    },
  },
];
