/** RT20: settings that sessions may change: a path by which temporary objects come behind others, and the tenant of row policies. */
import type { RawClient } from '../../../support/postgres/raw-client.ts';
import { type Attack, type AttackGroup, act, leak, must, same, send } from '../../attack.ts';

/** Whoever may make temporary tables may do with them what is forbidden with the tables of all. */
const POLICY = `
@id("all") permit (principal, action, resource);
@id("kept") forbid (principal, action in [Action::"sql.select", Action::"sql.delete", Action::"sql.update"], resource is Table)
  when { resource.schema == "public" && resource.name == "vault" };
`;

const VALUE = 'behind-the-door';
const FIXTURE = `
CREATE TABLE vault (id int, word text);
INSERT INTO vault VALUES (1, '${VALUE}'), (2, 'other');
GRANT ALL ON vault TO hoop;
`;
const EFFECT = 'SELECT count(*), min(word) FROM public.vault';
const RESET = `TRUNCATE public.vault; INSERT INTO public.vault VALUES (1, '${VALUE}'), (2, 'other')`;

const SETS = [
  'SET search_path = public, pg_temp',
  "SELECT set_config('search_path', 'public, pg_temp', false)",
];
const MAKES = [
  'CREATE TEMP TABLE vault (id int, word text)',
  "CREATE TABLE pg_temp.vault AS SELECT 1 AS id, 'x'::text AS word",
  "SELECT 1 AS id, 'x'::text AS word INTO TEMP vault",
];

/** In one string, and each by itself. */
function tries(...steps: readonly string[]): Attack[] {
  const reads = [...steps, 'SELECT word FROM vault'];
  const deletes = [...steps, 'DELETE FROM vault'];
  return [
    leak({
      case: `read in one string: ${steps.join('; ')}`,
      forms: ['simple'],
      steps: [reads.join('; ')],
      secret: VALUE,
    }),
    act({
      case: `deleted in one string: ${steps.join('; ')}`,
      forms: ['simple'],
      steps: [deletes.join('; ')],
      effect: EFFECT,
      reset: RESET,
    }),
    leak({ case: `read one by one: ${steps.join('; ')}`, steps: reads, secret: VALUE }),
    act({ case: `deleted one by one: ${steps.join('; ')}`, steps: deletes, effect: EFFECT, reset: RESET }),
  ];
}

/** Who may not choose the tenant is in the one that the role has. */
const TENANTS = `
@id("all") permit (principal, action, resource);
@id("own") forbid (principal, action in [Action::"sql.set", Action::"sql.set-unsafe"], resource is Setting) when { resource.name == "app.tenant" };
`;
const NOTES = `
CREATE TABLE notes (tenant int, body text);
INSERT INTO notes VALUES (1, 'mine'), (2, '${VALUE}');
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (tenant = current_setting('app.tenant')::int);
GRANT SELECT ON notes TO hoop;
ALTER ROLE hoop SET app.tenant = '1';
`;

const READS_NOTES = 'SELECT body FROM notes';

const chooses = (what: string, ...steps: readonly string[]) =>
  leak({ case: what, steps: [...steps, READS_NOTES], secret: VALUE });

/** Refused before there is a session. */
const beginsAs = (what: string, parameters: Readonly<Record<string, string>>): Attack => ({
  case: what,
  run: async (world) => {
    const read = async (client: RawClient) => (await send(client, READS_NOTES)).join(' / ');
    const control = await read(await world.direct({ parameters }));
    must(control.includes(VALUE), `dead: ${control}`);
    const told = await world.through({ parameters }).then(read, (error: Error) => error.message);
    must(told.includes('42501'), `begun: ${told}`);
  },
});

const scenario = { policy: POLICY, sql: FIXTURE, columns: {} };

export const RT20: readonly AttackGroup[] = [
  {
    id: 'RT20',
    scenario,
    attacks: [
      ...SETS.flatMap((set) => MAKES.flatMap((make) => tries(set, make))),
      ...tries(MAKES[0]!, SETS[0]!),
      leak({
        case: 'the path is set before, and the rest comes in one string',
        forms: ['simple'],
        steps: [SETS[0]!, `${MAKES[0]!}; SELECT word FROM vault`],
        secret: VALUE,
      }),
      same({
        case: 'a temporary table by a name of its own',
        steps: ['CREATE TEMP TABLE own (id int); SELECT * FROM own'],
      }),
    ],
  },
  {
    id: 'RT20',
    scenario: { ...scenario, sql: `${FIXTURE}ALTER ROLE hoop SET search_path = public, pg_temp;` },
    attacks: MAKES.flatMap((make) => tries(make)),
  },
  {
    id: 'RT20',
    scenario: { policy: TENANTS, sql: NOTES, columns: {}, resource: 'session: { settings: [app.tenant] }' },
    attacks: [
      chooses('another tenant by SET', "SET app.tenant = '2'"),
      chooses('another tenant by set_config', "SELECT set_config('app.tenant', '2', false)"),
      beginsAs('another tenant at the start', { 'app.tenant': '2' }),
      beginsAs('another tenant at the start, in capitals', { 'App.Tenant': '2' }),
      beginsAs('another tenant in options', { options: '-c app.tenant=2' }),
      beginsAs('another tenant in options, written long', { options: '--app.tenant=2' }),
      same({ case: 'the own one', steps: [READS_NOTES] }),
    ],
  },
];
