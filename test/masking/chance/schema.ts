/** Everything that statements at chance are over gives the columns c0 (a number), c1 and c2 (texts). */
const TABLES = `
SET client_min_messages = error;
CREATE TABLE people (c0 int PRIMARY KEY, c1 text, c2 text);
CREATE TABLE pay (c0 int, c1 text, c2 text);
CREATE TABLE plain (c0 int PRIMARY KEY, c1 text, c2 text);
CREATE TABLE family (c0 int, c1 text, c2 text);
CREATE TABLE kin (c3 int) INHERITS (family);
CREATE TABLE parts (c0 int, c1 text, c2 text) PARTITION BY RANGE (c0);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (3);
CREATE TABLE parts_2 (c2 text, c0 int, c1 text);
ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES FROM (3) TO (100);
CREATE TABLE made (c0 int, c1 text, c2 text GENERATED ALWAYS AS (upper(c1)) STORED);
CREATE DOMAIN shorty AS text CHECK (length(VALUE) < 100);
CREATE TABLE bound (c0 int, c1 shorty, c2 text);
CREATE TABLE boxes (c0 int, box people, c2 text);
CREATE TABLE notes (c0 int, doc jsonb, c2 text);
CREATE TABLE lists (c0 int, c1 text[], c2 text);
CREATE VIEW seen AS SELECT c0, c2 AS c1, c1 AS c2 FROM people;
CREATE VIEW twice AS SELECT s.c0, p.c1, s.c2 FROM seen s LEFT JOIN plain p USING (c0);
CREATE VIEW sums AS SELECT count(*)::int AS c0, max(c1) AS c1, c2 FROM people GROUP BY c2;
CREATE VIEW both_sides AS SELECT c0, c1, c2 FROM plain UNION ALL SELECT c0, c2, c1 FROM family;
CREATE VIEW noted AS SELECT c0, doc ->> 'a' AS c1, c2 FROM notes;
CREATE VIEW boxed AS SELECT c0, (box).c1 AS c1, c2 FROM boxes;
CREATE VIEW listed AS SELECT c0, c1[1] AS c1, c2 FROM lists;
CREATE VIEW rowed AS SELECT c0, p::text AS c1, c2 FROM people p;
CREATE FUNCTION peek(int) RETURNS text STABLE LANGUAGE sql AS 'SELECT c1 FROM people WHERE c0 = $1';
CREATE FUNCTION peeks(int) RETURNS text STABLE BEGIN ATOMIC SELECT c1 FROM people WHERE c0 = $1; END;
CREATE FUNCTION honest(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT upper($1)';
CREATE FUNCTION card(people) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1.c0 || ($1).c2';
CREATE FUNCTION card_kept(p people) RETURNS text IMMUTABLE LANGUAGE sql RETURN p.c2 || p.c0;
CREATE FUNCTION telling(p people) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT p.c2 || p.c1';
CREATE FUNCTION deciding(p people) RETURNS text IMMUTABLE LANGUAGE sql BEGIN ATOMIC SELECT p.c2 WHERE p.c1 > 'k'; END;
CREATE FUNCTION whole(p people) RETURNS text STABLE LANGUAGE sql AS 'SELECT q.r::text FROM (SELECT p) q (r)';
CREATE FUNCTION spies(a text, b text) RETURNS text STABLE LANGUAGE sql AS 'SELECT coalesce(a, b) || max(c1) FROM people';
CREATE AGGREGATE joined (text) (SFUNC = textcat, STYPE = text);
CREATE AGGREGATE spying (text) (SFUNC = spies, STYPE = text);
CREATE MATERIALIZED VIEW kept AS SELECT c0, c1, c2 FROM people WITH NO DATA;
INSERT INTO plain SELECT n, 'one ' || n, 'two ' || n FROM generate_series(1, 4) n;
`;

/** All belongs to the gateway's own role. */
const OWNED = `DO $$ DECLARE one regclass; BEGIN
  FOR one IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm') LOOP
    EXECUTE format('ALTER TABLE %s OWNER TO hoop', one);
  END LOOP;
END $$;`;

/** Which of these are masked. */
export const MASKED: Readonly<Record<string, readonly string[]>> = {
  'public.people.c1': ['pii'],
  'public.pay.c0': ['pii'],
  'public.family.c2': ['pii'],
  'public.parts.c1': ['pii'],
  'public.made.c1': ['pii'],
  'public.bound.c1': ['pii'],
  'public.lists.c1': ['pii'],
};

/** Of these documents only members are. */
export const MEMBERS = { 'public.notes.doc': { '$.a': ['pii'], '$.d.a': ['pii'] } };

export const NAMES = [
  ...[
    'people',
    'people',
    'people',
    'plain',
    'plain',
    'pay',
    'family',
    'kin',
    'ONLY family',
    'parts',
    'parts_1',
  ],
  ...[
    'parts_2',
    'made',
    'bound',
    'seen',
    'twice',
    'sums',
    'both_sides',
    'noted',
    'boxed',
    'listed',
    'rowed',
    'kept',
  ],
  ...['(TABLE people)', '(TABLE plain)'],
  ...[
    "doc ->> 'a'",
    "doc ->> 'b'",
    "doc -> 'c' -> 0 ->> 'a'",
    "doc #>> '{d,e}'",
    "doc #>> '{d,a}'",
    "doc['d']['e']::text",
    'doc::text',
  ].map((read) => `(SELECT c0, ${read} AS c1, c2 FROM notes)`),
];

/** What is secret, of five rows. That a value is absent is told: both have it in the same place. */
interface Secrets {
  readonly texts: readonly (string | null)[];
  readonly numbers: readonly (number | null)[];
}

/** One has values that are also elsewhere, values that are equal, others in another order: what is looked at shows. */
const SECRETS: readonly [Secrets, Secrets] = [
  { texts: ['delta', 'alpha', 'one 1', null, 'two 2'], numbers: [3, 1, 2, null, 7] },
  { texts: ['one 2', 'zulu', 'zulu', null, 'm'], numbers: [1, 1, 40, null, 0] },
];

function rows({ texts, numbers }: Secrets): string {
  const text = (index: number) => (texts[index] == null ? 'NULL' : `'${texts[index]}'`);
  return texts
    .flatMap((_, index) => {
      const [n, secret] = [index + 1, text(index)];
      const two = `'two ${n % 3}'`;
      const json = secret === 'NULL' ? 'NULL' : documentOf(secret, n);
      return [
        `INSERT INTO people VALUES (${n}, ${secret}, ${two});`,
        `INSERT INTO pay VALUES (${numbers[index] ?? 'NULL'}, 'pay ${n}', ${two});`,
        `INSERT INTO ${n > 3 ? 'kin' : 'family'} VALUES (${n}, ${two}, ${secret});`,
        `INSERT INTO parts VALUES (${n}, ${secret}, ${two});`,
        `INSERT INTO made VALUES (${n}, ${secret});`,
        `INSERT INTO bound VALUES (${n}, ${secret}, ${two});`,
        `INSERT INTO boxes VALUES (${n}, ROW(${n}, ${secret}, ${two}), ${two});`,
        `INSERT INTO notes VALUES (${n}, ${json}, ${two});`,
        `INSERT INTO lists VALUES (${n}, ${secret === 'NULL' ? 'NULL' : `ARRAY[${secret}, ${two}]`}, ${two});`,
      ];
    })
    .join('\n');
}

/** Beside the secret others of its name, and numbers. */
function documentOf(secret: string, n: number): string {
  const within = `jsonb_build_object('a', ${secret}, 'e', 'open ${n % 2}')`;
  return `jsonb_build_object('a', ${secret}, 'b', 'open ${n}', 'c', '[{"a":${n}}]'::jsonb, 'd', ${within})`;
}

/**
 * Four databases, which are one to the last number but for the secrets: `shop` and `twin`, and `shop_bare` and `twin_bare` for who
 * asks without a gateway. What that does leaves traces in the server's files, which must not differ where it matters. For psql, in `shop`.
 */
export function twinSchema(): string {
  const copies = ['twin', 'shop_bare', 'twin_bare'];
  const made = copies.map((name) => `CREATE DATABASE ${name} TEMPLATE shop;`).join('\n');
  const filled = ['shop', ...copies].map((name) => {
    const secrets = rows(SECRETS[name.startsWith('shop') ? 0 : 1]);
    return `\\c ${name}\n${secrets}\nREFRESH MATERIALIZED VIEW kept;\nANALYZE;`;
  });
  return `${TABLES}${OWNED}\n\\c postgres\n${made}\n${filled.join('\n')}`;
}
