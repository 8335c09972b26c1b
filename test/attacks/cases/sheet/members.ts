/** PG-M3, PG-M16: of documents only members are masked, and nobody gets one of these by what may be seen of the rest. */
import { type Attack, type AttackGroup, leak } from '../../attack.ts';

const EMAIL = 'ann@example.com';
const PHONE = '+31612345678';

const POLICY = `
@id("all") permit (principal, action, resource);
@id("pii") @mask("redact") forbid (principal, action == Action::"reveal", resource is Column) when { resource.tags.contains("pii") };
`;

const DOCUMENT = `{"email":"${EMAIL}","city":"Ede","contacts":[{"phone":"${PHONE}","kind":"home"}],"x":{"y":{"email":"z"}}}`;

const SQL = `
CREATE TABLE people (id int PRIMARY KEY, profile jsonb, raw json, note jsonb);
INSERT INTO people VALUES (1, '${DOCUMENT}', '${DOCUMENT}', '{}');
INSERT INTO people VALUES (2, '${JSON.stringify(DOCUMENT)}', '${JSON.stringify(DOCUMENT)}', '{}');
INSERT INTO people VALUES (3, '[[${DOCUMENT}]]', '{"email":"x","\\u0065mail":"${EMAIL}","EMAIL":"${EMAIL}"}', '{}');
INSERT INTO people SELECT 4, (repeat('[', 900) || '${DOCUMENT}' || repeat(']', 900))::jsonb, (repeat('[', 900) || '${DOCUMENT}' || repeat(']', 900))::json, '{}';
INSERT INTO people SELECT 5, jsonb_build_object('a', repeat('x', 5000000)) || '${DOCUMENT}', '{"\\ud800":"","email":"${EMAIL}"}', '{}';
CREATE TABLE own (id int PRIMARY KEY, profile jsonb); ALTER TABLE own OWNER TO hoop;
INSERT INTO own VALUES (1, '${DOCUMENT}');
CREATE VIEW handed AS SELECT id, profile FROM people;
CREATE VIEW moved AS SELECT id, jsonb_build_object('x', profile) AS profile FROM people;
CREATE VIEW mixed AS SELECT id, profile FROM people UNION ALL SELECT id, jsonb_build_object('x', profile) FROM people;
CREATE FUNCTION moved_by(jsonb) RETURNS jsonb IMMUTABLE LANGUAGE sql AS 'SELECT jsonb_build_object(''x'', $1)';
GRANT ALL ON ALL TABLES IN SCHEMA public TO hoop; GRANT ALL ON SCHEMA public TO hoop;
`;

const MEMBERS = { '$.email': ['pii'], '$.contacts.phone': ['pii'] };
const FIELDS = {
  'public.people.profile': MEMBERS,
  'public.people.raw': MEMBERS,
  'public.own.profile': MEMBERS,
};

/** One statement each, by which the address comes to light where no gateway stands. */
const STATEMENTS: readonly string[] = [
  'SELECT profile FROM people WHERE id = 1',
  'SELECT profile FROM people WHERE id = 2',
  'SELECT profile FROM people WHERE id = 3',
  'SELECT profile FROM people WHERE id = 4',
  'SELECT profile FROM people WHERE id = 5',
  'SELECT raw FROM people WHERE id < 3',
  'SELECT raw FROM people WHERE id = 3',
  'SELECT raw FROM people WHERE id = 4',
  'SELECT raw FROM people WHERE id = 5',
  'SELECT * FROM handed',
  'SELECT * FROM moved',
  'SELECT * FROM mixed',
  'SELECT profile FROM people UNION ALL SELECT profile FROM people',
  'SELECT profile FROM people UNION SELECT profile FROM people',
  'SELECT (SELECT profile FROM people WHERE id = 1)',
  "SELECT profile -> 'email' FROM people WHERE id = 1",
  "SELECT profile ->> 'email' FROM people WHERE id = 1",
  'SELECT profile ->> $$email$$ FROM people WHERE id = 1',
  "SELECT profile ->> E'\\u0065mail' FROM people WHERE id = 1",
  "SELECT profile ->> U&'\\0065mail' FROM people WHERE id = 1",
  "SELECT profile ->> 'em' 'ail' FROM people WHERE id = 1".replace("'em' 'ail'", "'em'\n'ail'"),
  "SELECT profile ->> ('email')::text FROM people WHERE id = 1",
  "SELECT profile ->> 'emailxx'::varchar(5) FROM people WHERE id = 1",
  "SELECT profile ->> 'email'::name FROM people WHERE id = 1",
  "SELECT profile ->> ('e' || 'mail') FROM people WHERE id = 1",
  "SELECT profile ->> (SELECT 'email') FROM people WHERE id = 1",
  "SELECT profile ->> k FROM people, (VALUES ('email')) v (k) WHERE id = 1",
  "SELECT profile #>> '{email}' FROM people WHERE id = 1",
  "SELECT profile #>> ARRAY['email'] FROM people WHERE id = 1",
  "SELECT (profile #>> '{city}') || (profile #>> '{email}') FROM people WHERE id = 1",
  "SELECT profile #> '{}' FROM people WHERE id = 1",
  "SELECT profile -> 0 -> 0 ->> 'email' FROM people WHERE id = 3",
  "SELECT profile #>> '{0,0,email}' FROM people WHERE id = 3",
  'SELECT profile -> 0 FROM people WHERE id = 3',
  'SELECT (profile ->> 0)::jsonb -> 0 FROM people WHERE id = 3',
  "SELECT profile['email'] FROM people WHERE id = 1",
  "SELECT profile['0']['0']['email'] FROM people WHERE id = 3",
  "SELECT profile #>> '{}' FROM people WHERE id = 2",
  "SELECT profile - 'city' FROM people WHERE id = 1",
  'SELECT moved_by(profile) FROM people WHERE id = 1',
  "SELECT jsonb_path_query(profile, '$.email') FROM people WHERE id = 1",
  'SELECT e FROM people, jsonb_each(profile) e WHERE id = 1',
  'SELECT profile::text FROM people WHERE id = 1',
  "SELECT raw ->> 'email' FROM people WHERE id = 1",
  "SELECT raw ->> 'city', raw ->> 'email' FROM people WHERE id = 1",
  "SELECT d.p -> 'email' FROM (SELECT profile AS p FROM people WHERE id = 1) d",
  "SELECT d.p ->> 'x' FROM (SELECT jsonb_build_object('x', profile) AS p FROM people WHERE id = 1) d",
  "SELECT d.p -> 'x' FROM moved m, LATERAL (SELECT m.profile AS p) d WHERE m.id = 1",
  "WITH d AS (SELECT profile FROM people UNION ALL SELECT jsonb_build_object('city', profile) FROM people) SELECT profile -> 'city' FROM d",
  "SELECT profile -> 'x' FROM mixed WHERE id = 1",
  "SELECT coalesce(profile, '{}') -> 'email' FROM people WHERE id = 1",
  "SELECT j.profile -> 'email' FROM people p JOIN people j USING (profile) WHERE j.id = 1",
  'SELECT array_agg(profile) FROM people WHERE id = 1',
  'SELECT p FROM people p WHERE id = 1',
  'COPY people (profile) TO STDOUT',
  'COPY (SELECT profile FROM people WHERE id = 1) TO STDOUT',
  "COPY (SELECT profile ->> 'email' FROM people WHERE id = 1) TO STDOUT",
  "SELECT (profile ->> 'email')::int FROM people WHERE id = 1",
];

/** Several, which leave the document somewhere else. */
const MOVES: readonly (readonly string[])[] = [
  ["UPDATE own SET profile = jsonb_build_object('x', profile) RETURNING profile"],
  ["UPDATE own SET profile['city'] = profile['email'] RETURNING profile"],
  ["UPDATE people SET note = jsonb_build_object('x', profile) RETURNING note"],
  ['UPDATE people SET note = profile RETURNING note'],
  ["INSERT INTO own SELECT id + 10, jsonb_build_object('x', profile) FROM people RETURNING profile"],
  [
    "INSERT INTO own VALUES (1, '{}') ON CONFLICT (id) DO UPDATE SET profile = jsonb_build_object('x', own.profile) RETURNING profile",
  ],
  [
    "ALTER TABLE own ALTER COLUMN profile TYPE jsonb USING jsonb_build_object('x', profile)",
    'SELECT profile FROM own',
  ],
  ['ALTER TABLE own ALTER COLUMN profile TYPE text', 'SELECT profile FROM own'],
  ['ALTER TABLE own RENAME COLUMN profile TO p', 'SELECT p FROM own'],
  [
    'ALTER TABLE own RENAME COLUMN profile TO p',
    'ALTER TABLE own ADD COLUMN profile jsonb',
    'SELECT p FROM own',
  ],
  [
    "ALTER TABLE own ADD COLUMN g jsonb GENERATED ALWAYS AS (jsonb_insert('{}', '{x}', profile)) STORED",
    'SELECT g FROM own',
  ],
  ["CREATE VIEW w AS SELECT jsonb_build_object('x', profile) AS profile FROM own", 'SELECT profile FROM w'],
  ['CREATE VIEW w AS SELECT profile FROM own', 'SELECT profile FROM w'],
  [
    'CREATE VIEW w AS SELECT profile FROM own',
    "CREATE OR REPLACE VIEW w AS SELECT jsonb_build_object('x', profile) AS profile FROM own",
    'SELECT profile FROM w',
  ],
  ['CREATE TABLE t AS SELECT profile FROM own', 'SELECT profile FROM t'],
  ["CREATE TABLE t AS SELECT jsonb_build_object('x', profile) AS p FROM own", 'SELECT p FROM t'],
  [
    'CREATE TABLE t () INHERITS (own)',
    'INSERT INTO t SELECT id, profile FROM people WHERE id = 1',
    'SELECT profile FROM t',
  ],
  ['DECLARE c CURSOR FOR SELECT profile FROM people', 'FETCH ALL c'],
  [
    "PREPARE s AS SELECT profile ->> 'city' FROM people",
    'DEALLOCATE s',
    "PREPARE s AS SELECT profile ->> 'email' FROM people WHERE id = 1",
    'EXECUTE s',
  ],
  ['PREPARE s (text) AS SELECT profile ->> $1 FROM people WHERE id = 1', "EXECUTE s ('email')"],
  // The plan of a text serves others that differ in constants alone.
  [
    "SELECT profile ->> 'city' FROM people WHERE id = 1",
    "SELECT profile ->> 'email' FROM people WHERE id = 1",
  ],
  [
    "SELECT profile FROM people WHERE note = profile #> ARRAY['x', 'city', 'z'] OR id = 1",
    "SELECT profile FROM people WHERE id = 1 AND 'a' = 'a'",
  ],
  [
    "SELECT id FROM people WHERE profile ->> 'city' = 'Ede'",
    `SELECT profile #>> '{email}' FROM people WHERE profile ->> 'email' = '${EMAIL}'`,
  ],
];

const attacks: readonly Attack[] = [
  ...STATEMENTS.map((sql) => leak({ case: sql, steps: [sql], secret: EMAIL })),
  ...MOVES.map((steps) =>
    leak({ case: steps.join('; '), steps: ['BEGIN', ...steps, 'ROLLBACK'], secret: EMAIL }),
  ),
  leak({
    case: 'a member of members of an array',
    steps: ["SELECT profile -> 'contacts' -> 0 ->> 'phone' FROM people WHERE id = 1"],
    secret: PHONE,
  }),
  leak({
    case: 'what lies above a masked member',
    steps: ["SELECT profile -> 'contacts' FROM people WHERE id = 1"],
    secret: PHONE,
  }),
];

export const PG_M3_MEMBERS: readonly AttackGroup[] = [
  { id: 'PG-M3', scenario: { policy: POLICY, sql: SQL, fields: FIELDS }, attacks },
];
