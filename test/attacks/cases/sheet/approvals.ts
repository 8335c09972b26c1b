/** PG-S29, PG-S30: what was approved is one statement, once, for whoever waits for it. */
import { encodeStartup } from '../../../../src/wire/postgres/startup.ts';
import { bind, execute, parse, query, type RawClient, sync } from '../../../support/postgres/raw-client.ts';
import { ATTACK_FIXTURE } from '../../../support/stack.ts';
import { eventually, timePasses } from '../../../support/waiting.ts';
import { type Attack, type AttackGroup, must } from '../../attack.ts';
import type { World } from '../../world.ts';
import { ORDERS } from './world.ts';

const POLICY = `
@id("all") permit (principal, action, resource);
@id("ask") @approval("developers") forbid (principal, action == Action::"sql.delete", resource)
unless { context.approvals.contains("developers") };
`;

/** Nobody's answer comes so late. */
const SETTLED_MS = 500;

/** Those who decide, signed in once for each world. */
const signedIn = new WeakMap<World, Promise<Record<string, string>>>();

async function hoopctl(world: World, ...args: readonly string[]): Promise<string> {
  const person = signedIn.get(world) ?? world.stack.person('ada');
  signedIn.set(world, person);
  const { exitCode, stdout, stderr } = await world.stack.hoopctl(args, await person);
  must(exitCode === 0, `hoopctl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

async function pending(world: World): Promise<readonly string[]> {
  const lines = (await hoopctl(world, 'approval', 'list', '--json'))
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => (JSON.parse(line) as { readonly id: string }).id);
}

/** Sends what is held, and gives its id and its answer. */
async function held(world: World, client: RawClient, messages: readonly Buffer[]) {
  const answer = client.ask(...messages).catch(() => ['closed']);
  const [id] = await eventually(
    'dead: nobody is asked',
    () => pending(world),
    ({ length }) => length === 1,
  );
  return { id: id!, answer };
}

const one = (sql: string) => [query(sql)];
const bound = (value: string) => [
  parse('', 'DELETE FROM orders WHERE id = $1::int'),
  bind('', '', { values: [value] }),
  execute(''),
  sync,
];

const FIRST = 'DELETE FROM orders WHERE id = 1';

/** Who asks again. */
async function other(world: World, client: RawClient, elsewhere: 'session' | 'identity' | undefined) {
  if (elsewhere === undefined) return client;
  if (elsewhere === 'session') return world.through();
  return world.at(await world.also('pg', world.stack.env({ repository: 'org/other' })));
}

/** After a yes to one statement, another one is asked for anew, and does nothing until then. */
function askedAgain(
  what: string,
  first: readonly Buffer[],
  second: readonly Buffer[],
  elsewhere?: 'session' | 'identity',
): Attack {
  return {
    id: 'PG-S29',
    case: what,
    run: async (world) => {
      await world.look(ORDERS.reset);
      const client = await world.through();
      const yes = await held(world, client, first);
      await hoopctl(world, 'approval', 'approve', yes.id, '--yes');
      const lines = await yes.answer;
      must(
        lines.some((line) => line.startsWith('CommandComplete DELETE 1')),
        `dead: ${lines.join(' / ')}`,
      );
      await world.look(ORDERS.reset);
      const before = await world.look(ORDERS.effect);
      const again = await held(world, await other(world, client, elsewhere), second);
      await timePasses(SETTLED_MS, 'it must not run meanwhile');
      must((await world.look(ORDERS.effect)) === before, 'it ran before anybody said yes');
      await hoopctl(world, 'approval', 'deny', again.id);
      const refused = await again.answer;
      must(
        refused.some((line) => line.startsWith('ErrorResponse 42501')),
        refused.join(' / '),
      );
      must((await world.look(ORDERS.effect)) === before, 'it ran although somebody said no');
    },
  };
}

/** Whoever waited is gone: a yes that comes later has no effect. */
function orphaned(what: string, leave: (client: RawClient, world: World) => unknown): Attack {
  return {
    id: 'PG-S30',
    case: what,
    run: async (world) => {
      await world.look(ORDERS.reset);
      const before = await world.look(ORDERS.effect);
      const client = await world.through();
      const { id } = await held(world, client, one(FIRST));
      await leave(client, world);
      await eventually(
        'it is still asked for',
        () => pending(world),
        ({ length }) => length === 0,
      );
      const person = await signedIn.get(world);
      const late = await world.stack.hoopctl(['approval', 'approve', id, '--yes'], person);
      must(late.exitCode !== 0, 'a yes is taken that nobody waits for');
      await timePasses(SETTLED_MS, 'it must not run meanwhile');
      must((await world.look(ORDERS.effect)) === before, 'it ran');
    },
  };
}

export const PG_APPROVALS: readonly AttackGroup[] = [
  {
    id: 'PG-S29',
    scenario: { policy: POLICY, sql: ATTACK_FIXTURE, yaml: 'approvals: { wait: 60s }' },
    attacks: [
      askedAgain('the same text again', one(FIRST), one(FIRST)),
      askedAgain('another literal', one(FIRST), one('DELETE FROM orders WHERE id = 2')),
      askedAgain('another parameter', bound('1'), bound('2')),
      askedAgain('another session', one(FIRST), one(FIRST), 'session'),
      askedAgain('another identity', one(FIRST), one(FIRST), 'identity'),
      askedAgain('a comment more', one(FIRST), one(`${FIRST} -- as before`)),
      orphaned('the client closes its connection', (client) => client.close()),
      orphaned('the client cancels it', async ({ key }, world) => {
        const { processId = 0, key: secret = Buffer.alloc(4) } = key ?? {};
        const request = encodeStartup({ name: 'CancelRequest', processId, key: secret });
        (await world.dial()).send(request);
      }),
      orphaned('the client says that it leaves', (client) => {
        client.send(Buffer.from('X\0\0\0\x04'));
        client.close();
      }),
    ],
  },
];
