/** RT20: a path by which temporary objects come behind others, and names that are made in it meanwhile. */
import { type Attack, type AttackGroup, act, leak, same } from '../../attack.ts';

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
];
