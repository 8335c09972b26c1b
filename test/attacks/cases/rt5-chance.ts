import { type AttackGroup, leak, must, type same, send } from '../attack.ts';

const SSN = '123-45-6789';
const POLICY = `
@id("all") permit (principal, action, resource);
@id("hidden") @mask("redact") forbid (principal, action == Action::"reveal", resource is Column) when { resource.tags.contains("pii") };
`;
const COLUMNS = { 'public.people.ssn': ['pii'] };
const PEOPLE = `
CREATE TABLE people (id int, ssn text); INSERT INTO people VALUES (1, '${SSN}');
CREATE SCHEMA ext; CREATE EXTENSION "uuid-ossp" SCHEMA ext; CREATE EXTENSION pgcrypto SCHEMA ext; CREATE EXTENSION tablefunc SCHEMA ext;
CREATE TABLE made (id uuid DEFAULT ext.uuid_generate_v4(), token bytea DEFAULT ext.gen_random_bytes(8), at timestamptz DEFAULT now(), n int);
CREATE VIEW fresh AS SELECT n, ext.uuid_generate_v4() AS id FROM made;`;

/** What has such a name and is not the extension's: the database's owner wrote it. */
const NAMESAKES = `${PEOPLE}
CREATE FUNCTION public.gen_random_bytes(int) RETURNS bytea LANGUAGE sql AS 'SELECT convert_to(ssn, ''UTF8'') FROM people';
CREATE FUNCTION ext.gen_salt(int) RETURNS text LANGUAGE sql AS 'SELECT ssn FROM people';
CREATE FUNCTION public.pick() RETURNS text LANGUAGE sql AS 'SELECT ssn FROM people';
ALTER EXTENSION tablefunc ADD FUNCTION public.pick();
CREATE OR REPLACE FUNCTION ext.normal_rand(int, float8, float8) RETURNS SETOF float8 LANGUAGE plpgsql AS
  'BEGIN RETURN QUERY SELECT replace(ssn, ''-'', '''')::float8 FROM people; END';`;

const DIGITS = '123456789';
const seen = (what: string, sql: string, secret = SSN) => leak({ case: what, steps: [sql], secret });

/** The statement passes, though what it gives is never the same. */
function passes(what: string, ...steps: string[]) {
  return {
    case: what,
    run: async (world: Parameters<ReturnType<typeof same>['run']>[0]) => {
      const client = await world.through();
      for (const sql of steps) {
        const lines = await send(client, sql);
        must(!lines.some((one) => /^ErrorResponse|01H01/.test(one)), `${sql}: ${lines.join(' / ')}`);
      }
    },
  };
}

/** Functions that give chance may stand where what cannot be traced may not; what only looks like them may not. */
export const RT5_CHANCE: readonly AttackGroup[] = [
  {
    id: 'RT5',
    scenario: { policy: POLICY, columns: COLUMNS, sql: NAMESAKES, superuser: true },
    attacks: [
      seen(
        'a function of users that is called as an extension’s is',
        "SELECT x FROM (SELECT encode(public.gen_random_bytes(1), 'escape') AS x) s",
      ),
      seen('… found by the path', "SELECT x FROM (SELECT encode(gen_random_bytes(1), 'escape') AS x) s"),
      seen('an overload beside the extension’s own', 'SELECT x FROM (SELECT ext.gen_salt(1) AS x) s'),
      seen('a function of users that an extension was given', 'SELECT x FROM (SELECT pick() AS x) s'),
      seen(
        'an extension’s function that was replaced',
        'SELECT x FROM (SELECT n::bigint::text AS x FROM ext.normal_rand(1, 1, 1) n) s',
        DIGITS,
      ),
    ],
  },
  {
    id: 'RT5',
    scenario: { policy: POLICY, columns: COLUMNS, sql: PEOPLE, superuser: true },
    attacks: [
      seen(
        'a masked column among the arguments',
        "SELECT ext.pgp_sym_decrypt(ext.pgp_sym_encrypt(ssn, 'k'), 'k') FROM people",
      ),
      seen(
        '… in a subquery',
        "SELECT ext.pgp_sym_decrypt(x, 'k') FROM (SELECT ext.pgp_sym_encrypt(ssn, 'k') AS x FROM people) s",
      ),
      seen(
        '… in a condition',
        `SELECT '${SSN.slice(0, 6)}' || '${SSN.slice(6)}' FROM people WHERE ext.pgp_sym_decrypt(ext.pgp_sym_encrypt(ssn, 'k'), 'k') = '${SSN}'`,
      ),
      seen(
        '… as a length',
        `SELECT '${SSN.slice(0, 6)}' || '${SSN.slice(6)}' FROM people WHERE length(ext.gen_random_bytes(length(ssn))) = 11`,
      ),
      passes(
        'chance in conditions, values and defaults',
        'SELECT id FROM people WHERE ext.uuid_generate_v4() IS NOT NULL',
        'SELECT x FROM (SELECT ext.uuid_generate_v1() AS x) s',
        'SELECT ext.gen_random_bytes(4), ext.uuid_generate_v1mc(), ext.gen_random_uuid(), gen_random_uuid(), now()',
        "SELECT length(ext.gen_salt('md5')) FROM people WHERE now() > 'epoch' ORDER BY random()",
        'INSERT INTO made (n) VALUES (1)',
        'INSERT INTO made (id, token, n) VALUES (ext.uuid_generate_v4(), ext.gen_random_bytes(8), 2) RETURNING id, token',
        'UPDATE made SET id = ext.uuid_generate_v4() WHERE n = 1',
        'SELECT n, id FROM fresh WHERE id IS NOT NULL ORDER BY id',
        "SELECT ext.pgp_sym_encrypt('x', 'k') FROM people WHERE id = 1",
        'SELECT count(*) FROM ext.normal_rand(3, 1, 1) n WHERE n IS NOT NULL',
        'DELETE FROM made WHERE id = ext.uuid_generate_v4()',
      ),
      passes(
        '… in one string, before what names something',
        'SELECT ext.uuid_generate_v4(); SELECT id FROM people',
        'BEGIN; INSERT INTO made (n) VALUES (ascii(ext.gen_salt($$md5$$))); SELECT n FROM made; COMMIT',
      ),
    ],
  },
];
