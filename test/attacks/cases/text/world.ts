/** RT17: free text that detectors look at, where it is shown in plain columns alone. What the cases share. */
import type { PostgresServer } from '../../../support/postgres/server.ts';
import { type Attack, FORMS, type Form, must, send } from '../../attack.ts';
import { disguiseOf } from '../../leak.ts';
import type { Major } from '../../world.ts';
import { DETECTING } from '../detecting.ts';

/** A card's number, by prefix and check digit; turned round it is none. */
export const PAN = '4539578763621486';
export const BODY = `pay ${PAN} now`;

export const TEXT_FIXTURE = `
CREATE DOMAIN short AS varchar(12);
CREATE DOMAIN shorts AS varchar(12)[];
CREATE TYPE pair AS (a text, b int);
CREATE TABLE notes (id int PRIMARY KEY, body text, title varchar(80), code char(20), alias name, doc jsonb, raw json, mark xml,
  tags text[], octets bytea, n int, at timestamptz, state text);
INSERT INTO notes VALUES
  (1, '${BODY}', 'title ${PAN}', '${PAN}', '${PAN}', '{"a": "${BODY}"}', '{"a":"${BODY}"}', '<a>${BODY}</a>',
    ARRAY['${BODY}', 'x'], '${BODY}', 5, '2024-05-06', 'paid'),
  (2, 'likes tea', 'Tea', 'x', 'x', '{"a": "x"}', '{"a":"x"}', '<a>x</a>', ARRAY['y'], 'x', 4, '2024-06-06', 'new');
CREATE TABLE lines (id int PRIMARY KEY, note int, body text, n int DEFAULT 0, alias name, letter "char", small varchar(12));
INSERT INTO lines VALUES (10, 1, 'one'), (11, 1, 'two'), (12, 2, 'likes tea');
CREATE TABLE cut (id int, body varchar(12));
CREATE VIEW turned AS SELECT id, reverse(body) AS body FROM notes;
CREATE VIEW shortened AS SELECT id, body::short AS body FROM notes;
CREATE MATERIALIZED VIEW kept AS SELECT id, reverse(body) AS body FROM notes;
CREATE TABLE made (id int PRIMARY KEY, body text, turned text GENERATED ALWAYS AS (reverse(body)) STORED);
INSERT INTO made VALUES (1, '${BODY}');
CREATE FUNCTION turned_of(int) RETURNS text LANGUAGE sql STABLE AS 'SELECT reverse(body) FROM notes WHERE id = $1';
CREATE FUNCTION turn(VARIADIC text[]) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT reverse($1[1])';
CREATE FUNCTION initials(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT left($1, 3)';
CREATE OPERATOR <<~ (rightarg = text, function = reverse);
CREATE SEQUENCE steps;
SELECT lo_from_bytea(4711, '${BODY}'); GRANT SELECT ON LARGE OBJECT 4711 TO hoop;
GRANT ALL ON ALL TABLES IN SCHEMA public TO hoop; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO hoop;
GRANT CREATE, USAGE ON SCHEMA public TO hoop; ALTER TABLE lines OWNER TO hoop;
ALTER FUNCTION initials(text) OWNER TO hoop; ALTER FUNCTION turn(text[]) OWNER TO hoop;
ANALYZE;
`;

/** Whatever policy can permit; what detectors find is hidden. */
const POLICY = `${DETECTING}
@id("use-all") permit (principal, action, resource) unless { action == Action::"reveal" };
`;

export const TEXT_WORLD = {
  policy: POLICY,
  sql: TEXT_FIXTURE,
  resources: ({ host, port }: PostgresServer) => `  plain:
    protocol: postgres
    target: { host: ${host}, port: ${port}, database: shop, tls: disable }
    credentials: { user: hoop, password: { file: ./pg.password } }
    freeText: { show: plain, functions: [public.initials] }
`,
};

/** Statements, and how they are tried. */
export interface Taking {
  readonly case?: string;
  readonly steps: readonly string[];
  /**
   * What of the number a row shows, or a copied line, where it is less than the whole, or not in a disguise that is looked for;
   * as the row stands.
   */
  readonly told?: RegExp;
  /** Shows the attack to be live: the resource that shows any text, or the server itself where that refuses it as well. */
  readonly control?: 'any' | 'server';
  readonly forms?: readonly Form[];
  readonly majors?: readonly Major[];
}

/** The number must reach the client in no disguise, though the same steps bring it to light where any text is shown. */
export function taking(given: string | Taking): Attack {
  const all: Taking = typeof given === 'string' ? { steps: [given] } : given;
  const { steps, told, control = 'any', majors } = all;
  const text = told === undefined ? FORMS : FORMS.filter((form) => !form.includes('binary'));
  return {
    case: all.case ?? steps.join('; '),
    ...(majors === undefined ? {} : { majors }),
    run: async (world) => {
      const tunnel = control === 'server' ? world.target : await world.also('pg');
      const plain = await world.also('plain');
      for (const form of all.forms ?? text) {
        const [there, here] = [await world.at(tunnel), await world.at(plain)];
        const seen = async (client: typeof there) => {
          await world.look("SELECT setval('steps', 1, false)");
          const lines: string[] = [];
          for (const sql of steps) lines.push(...(await send(client, sql, form)));
          await send(client, 'ROLLBACK');
          const rows = lines.filter((one) => /^(DataRow|CopyData|Notification)/.test(one));
          const part = told !== undefined && rows.some((one) => told.test(one)) ? 'a part of it' : undefined;
          return { found: disguiseOf(client.received, PAN) ?? part, lines };
        };
        const live = await seen(there);
        must(live.found !== undefined, `${form}: dead: ${live.lines.join(' / ')}`);
        const { found, lines } = await seen(here);
        must(found === undefined, `${form}: leaked, ${found}: ${lines.join(' / ')}`);
      }
    },
  };
}
