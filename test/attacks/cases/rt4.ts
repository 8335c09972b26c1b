import { Bind, Parse } from '../../../src/wire/postgres/extended.ts';
import {
  bind,
  closePortal,
  describeStatement,
  execute,
  flush,
  parse,
  query,
  sync,
} from '../../support/postgres/raw-client.ts';
import { ATTACK_COLUMNS, ATTACK_FIXTURE, GUARDED, type StackOptions } from '../../support/stack.ts';
import { timePasses } from '../../support/waiting.ts';
import { type Attack, type AttackGroup, act, must, same } from '../attack.ts';
import type { World } from '../world.ts';

/** What agents may call here; every other function of the fixture leaves a mark when it runs. */
const POLICY = `${GUARDED}
@id("harmless") permit (principal, action == Action::"sql.call", resource is Function) when { resource.schema == "app" && resource.name like "ok*" };
@id("own") permit (principal, action in [Action::"sql.ddl", Action::"sql.maintain", Action::"sql.notify"], resource);
@id("keep") forbid (principal, action in [Action::"sql.insert", Action::"sql.update", Action::"sql.delete", Action::"sql.truncate"], resource is Table) when { resource.name == "kept" };
`;

/** `mark` writes whatever calls it; `fold` is immutable to the planner, and marks all the same. */
const MARKS = `
CREATE SCHEMA app; GRANT USAGE, CREATE ON SCHEMA app TO hoop;
CREATE TABLE app.log (what text);
CREATE FUNCTION app.mark(text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS
  'BEGIN INSERT INTO app.log VALUES ($1); RETURN true; END';
CREATE FUNCTION app.mark(int) RETURNS boolean LANGUAGE sql AS 'SELECT app.mark($1::text)';
CREATE FUNCTION app.fold(int) RETURNS int IMMUTABLE LANGUAGE plpgsql SECURITY DEFINER AS
  'BEGIN PERFORM app.mark($1); RETURN $1; END';
CREATE FUNCTION app.marked() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS
  'BEGIN PERFORM app.mark(1); RETURN ''x''; END';
CREATE FUNCTION app.fire() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
  'BEGIN PERFORM app.mark(2); IF TG_OP = ''DELETE'' THEN RETURN OLD; END IF; RETURN NEW; END';
CREATE FUNCTION app.ok_fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
`;

const TYPES = `
CREATE DOMAIN app.dom AS int CHECK (app.mark(VALUE));
CREATE DOMAIN app.over AS app.dom;
CREATE DOMAIN app.many AS app.dom[];
CREATE TYPE app.pair AS (a int, b app.dom);
CREATE TYPE app.nest AS (p app.pair, t text);
CREATE TYPE app.span AS RANGE (subtype = app.dom);
CREATE TYPE app.key AS (n int);
CREATE FUNCTION app.key_int(app.key) RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS
  'BEGIN PERFORM app.mark(3); RETURN ($1).n; END';
CREATE CAST (app.key AS int) WITH FUNCTION app.key_int(app.key) AS IMPLICIT;
CREATE TYPE app.doc AS ENUM ('x');
CREATE FUNCTION app.doc_json(app.doc) RETURNS json LANGUAGE plpgsql SECURITY DEFINER AS
  'BEGIN PERFORM app.mark(4); RETURN ''{}''; END';
CREATE CAST (app.doc AS json) WITH FUNCTION app.doc_json(app.doc);
CREATE FUNCTION app.key_plus(app.key, app.key) RETURNS app.key LANGUAGE plpgsql SECURITY DEFINER AS
  'BEGIN PERFORM app.mark(5); RETURN $1; END';
CREATE OPERATOR app.+ (LEFTARG = app.key, RIGHTARG = app.key, FUNCTION = app.key_plus);
CREATE FUNCTION app.ok_dom(app.dom) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
CREATE FUNCTION app.ok_any(anyelement, anyelement) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
CREATE FUNCTION app.ok_key() RETURNS app.key LANGUAGE sql AS 'SELECT ROW(1)::app.key';
CREATE TABLE holder (id int PRIMARY KEY, d int, k app.dom DEFAULT NULL, ds app.dom[], key app.key);
INSERT INTO holder VALUES (1, 1, NULL, NULL, ROW(1));
CREATE TABLE plain (id int, t text);
INSERT INTO plain VALUES (1, 'a');
CREATE VIEW cast_view AS SELECT id, d::app.dom AS k FROM holder;
`;

const WRITES = `
CREATE TABLE checked (id int CHECK (app.mark(id)));
CREATE TABLE defaulted (id int, t text DEFAULT app.marked());
CREATE TABLE generated (id int, g int GENERATED ALWAYS AS (app.fold(id)) STORED);
CREATE TABLE indexed (id int); CREATE INDEX ON indexed (app.fold(id)); INSERT INTO indexed VALUES (1);
CREATE TABLE partial (id int); CREATE INDEX ON partial (id) WHERE app.fold(id) > 0;
CREATE TABLE triggered (id int);
CREATE TRIGGER t BEFORE INSERT OR UPDATE OR DELETE ON triggered FOR EACH ROW EXECUTE FUNCTION app.fire();
INSERT INTO triggered VALUES (1);
CREATE TABLE whened (id int);
CREATE TRIGGER t BEFORE INSERT ON whened FOR EACH ROW WHEN (app.mark(NEW.id)) EXECUTE FUNCTION app.ok_fire();
CREATE TABLE deferred (id int);
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON deferred DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.fire();
CREATE TABLE routed (id int) PARTITION BY LIST (id);
CREATE TABLE routed_1 PARTITION OF routed FOR VALUES IN (1);
CREATE TRIGGER t BEFORE INSERT ON routed_1 FOR EACH ROW EXECUTE FUNCTION app.fire();
CREATE TABLE moved (id int, t text) PARTITION BY LIST (id);
CREATE TABLE moved_1 PARTITION OF moved FOR VALUES IN (1, 3);
CREATE TABLE moved_2 PARTITION OF moved FOR VALUES IN (2);
CREATE TABLE moved_4 PARTITION OF moved FOR VALUES IN (4);
CREATE TRIGGER t BEFORE INSERT ON moved_2 FOR EACH ROW EXECUTE FUNCTION app.fire();
CREATE TRIGGER t AFTER DELETE ON moved_4 FOR EACH ROW EXECUTE FUNCTION app.fire();
CREATE VIEW moved_view AS SELECT id FROM moved;
CREATE TABLE ruled (id int);
CREATE RULE r AS ON INSERT TO ruled DO ALSO SELECT app.mark(9);
CREATE VIEW stood AS SELECT id FROM plain WITH NO DATA;
`.replace(' WITH NO DATA', '');

const MORE_WRITES = `
CREATE FUNCTION app.insteadly() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
  'BEGIN PERFORM app.mark(7); RETURN NEW; END';
CREATE TRIGGER t INSTEAD OF INSERT ON stood FOR EACH ROW EXECUTE FUNCTION app.insteadly();
CREATE VIEW narrow AS SELECT id, t FROM plain WHERE app.mark(id) WITH CHECK OPTION;
CREATE TABLE secured (id int); INSERT INTO secured VALUES (1);
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON secured USING (app.mark(id));
CREATE TABLE excluded (id int, EXCLUDE USING btree (id WITH =));
CREATE TABLE top (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED UNIQUE);
CREATE TABLE kept (id int PRIMARY KEY REFERENCES top ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE middle (id int PRIMARY KEY REFERENCES top ON DELETE CASCADE);
CREATE TABLE parent (id int);
CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent);
CREATE TABLE below (id int REFERENCES child ON DELETE CASCADE);
CREATE TRIGGER t BEFORE DELETE ON below FOR EACH ROW EXECUTE FUNCTION app.fire();
CREATE TABLE doubled (twice int REFERENCES top (twice) ON UPDATE CASCADE);
CREATE TRIGGER t BEFORE UPDATE ON doubled FOR EACH ROW EXECUTE FUNCTION app.fire();
CREATE TABLE owned (id int); INSERT INTO owned VALUES (1); CREATE INDEX owned_i ON owned (app.fold(id));
CREATE STATISTICS owned_s ON (app.fold(id) + 1), id FROM owned;
ALTER TABLE owned OWNER TO hoop;
CREATE MATERIALIZED VIEW fresh AS SELECT app.marked() AS m WITH NO DATA;
ALTER MATERIALIZED VIEW fresh OWNER TO hoop;
CREATE TABLE keyed (id int) PARTITION BY LIST (app.fold(id));
CREATE TABLE keyed_1 PARTITION OF keyed FOR VALUES IN (1);
CREATE FUNCTION attribute(holder) RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS
  'BEGIN PERFORM app.mark(1); RETURN 1; END';
CREATE MATERIALIZED VIEW shown AS SELECT id FROM plain; CREATE INDEX ON shown (app.fold(id));
ALTER MATERIALIZED VIEW shown OWNER TO hoop;
CREATE FUNCTION app.on_ddl() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS
  'BEGIN PERFORM app.mark(8); END';
CREATE EVENT TRIGGER on_ddl ON ddl_command_start WHEN TAG IN ('CREATE SEQUENCE') EXECUTE FUNCTION app.on_ddl();
GRANT ALL ON ALL TABLES IN SCHEMA public TO hoop;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA app TO hoop;
TRUNCATE app.log;
`;

const SCENARIO: StackOptions = {
  policy: POLICY,
  sql: `${ATTACK_FIXTURE}${MARKS}${TYPES}${WRITES}${MORE_WRITES}`,
  columns: ATTACK_COLUMNS,
};

/** Statements that run a function which policy does not permit. */
const marks = (what: string, ...steps: string[]): Attack => marksOn({}, what, ...steps);

function marksOn(more: Pick<Attack, 'majors'>, what: string, ...steps: string[]): Attack {
  return act({ case: what, ...more, steps, effect: 'SELECT count(*) FROM app.log', reset: RESET });
}

const RESET = `TRUNCATE moved; INSERT INTO moved VALUES (1), (4); TRUNCATE app.log; TRUNCATE top CASCADE; INSERT INTO top VALUES (1), (2); INSERT INTO kept VALUES (1);
  INSERT INTO middle VALUES (1); TRUNCATE secured, plain; INSERT INTO secured VALUES (1); INSERT INTO plain VALUES (1, 'a'); DELETE FROM holder WHERE id > 1; TRUNCATE parent CASCADE; INSERT INTO child VALUES (1); INSERT INTO below VALUES (1);
  INSERT INTO doubled VALUES (4); TRUNCATE app.log; DROP SEQUENCE IF EXISTS made;`;

/** What `sent` makes of the audit is there before the target has answered it. */
function onRecord(what: string, statement: string, ...sent: (() => Buffer)[]): Attack {
  return {
    case: what,
    run: async (world) => {
      const client = await world.through();
      const marker = `"m${Math.random().toString(36).slice(2)}"`;
      const text = `SELECT 1 AS ${marker}`;
      must(world.decisions(marker).length === 0, 'dead: the marker is not new');
      client.send(parse(statement, text), ...sent.map((make) => make()));
      await client.until('ParseComplete');
      must(world.decisions(marker).length > 0, 'the target has parsed it, and no event says so');
      client.close();
    },
  };
}

/** The type's functions run when a parameter of it is bound: by its OID, no text names it. */
function parameterOid(what: string, type: string, value: string): Attack {
  return {
    case: what,
    run: async (world) => {
      const oid = Number((await world.admin(`SELECT '${type}'::regtype::oid::int8`)).trim());
      const messages = () => [
        Parse.encode({ statement: '', sql: 'SELECT $1 IS NULL', parameterTypes: [oid] }),
        bind('', '', { values: [value] }),
        execute(''),
        sync,
      ];
      await world.admin(RESET);
      await (await world.direct()).ask(...messages());
      must((await count(world)) > 0, 'dead: no effect on the server itself');
      await world.admin(RESET);
      await (await world.through()).ask(...messages());
      must((await count(world)) === 0, 'it had its effect');
    },
  };
}

async function count(world: World): Promise<number> {
  return Number(await world.admin('SELECT count(*) FROM app.log'));
}

/** Parse alone, or with a Describe, runs what analysis and planning run. */
function atParse(what: string, sql: string, ...behind: Buffer[]): Attack {
  return {
    case: what,
    run: async (world) => {
      await world.admin(RESET);
      await (await world.direct()).ask(parse('s', sql), ...behind, sync);
      must((await count(world)) > 0, 'dead: no effect on the server itself');
      await world.admin(RESET);
      await (await world.through()).ask(parse('s', sql), ...behind, sync);
      must((await count(world)) === 0, 'it had its effect');
    },
  };
}

/** Nothing reaches the target before its event. */
const BEFORE: AttackGroup = {
  id: 'RT4',
  scenario: SCENARIO,
  attacks: [
    onRecord('a Parse and a Flush', '', () => flush),
    onRecord('a Parse and a Sync', 's', () => sync),
    onRecord(
      'a Parse that is described',
      's',
      () => describeStatement('s'),
      () => sync,
    ),
    onRecord(
      'a Parse that is closed again',
      's',
      () => closePortal('p'),
      () => flush,
    ),
    onRecord(
      'a Parse before another',
      '',
      () => parse('', 'SELECT 2'),
      () => bind('', ''),
      () => sync,
    ),
    onRecord(
      'a Parse before the Bind of another',
      's',
      () => bind('', 'none'),
      () => sync,
    ),
    onRecord('a Parse before a query', 's', () => query('SELECT 3')),
    {
      case: 'a Parse without anything behind it never reaches the target',
      run: async (world) => {
        const client = await world.through();
        await client.ask(query('BEGIN'));
        client.send(parse('', 'SELECT * FROM plain'));
        await timePasses(300, 'it would have reached the target by then');
        const locks = `SELECT count(*) FROM pg_locks WHERE relation = 'plain'::regclass`;
        must((await world.admin(locks)).trim() === '0', 'it holds a lock and has no event');
        client.send(flush);
        await client.until('ParseComplete');
        must((await world.admin(locks)).trim() === '1', 'dead: Parse takes no lock');
      },
    },
    {
      case: 'Parse and Bind of one statement are one event, whatever the cut of the octets',
      run: async (world) => {
        const client = await world.through();
        const bytes = Buffer.concat([parse('', 'SELECT 1 AS "one event"'), bind('', ''), execute(''), sync]);
        for (const octet of bytes) client.send(Buffer.from([octet]));
        await client.untilReady();
        const events = world.decisions('one event');
        must(events.length === 1, `${events.length} events`);
      },
    },
    {
      case: 'a PREPARE is on record with what its statement would do',
      run: async (world) => {
        const client = await world.through();
        await client.ask(query('PREPARE pp AS DELETE FROM orders WHERE id = 77'));
        const [event = ''] = world.decisions('PREPARE pp');
        must(event.includes('sql.delete') && event.includes('public.orders'), `on record: ${event}`);
      },
    },
    atParse('a domain check at Parse', `SELECT '{5}'::app.dom[]`),
    atParse('a domain check at Describe', `SELECT '{5}'::app.over[]`, describeStatement('s')),
    atParse('an immutable function, planned at Bind', 'SELECT app.fold(1)', bind('', 's')),
    marks('PREPARE with a literal that analysis reads', `PREPARE q AS SELECT '{6}'::app.dom[]`),
    parameterOid('a parameter type by OID: a domain', 'app.dom', '5'),
    parameterOid('a parameter type by OID: a domain over a domain', 'app.over', '5'),
    parameterOid('a parameter type by OID: an array', 'app.dom[]', '{5}'),
    parameterOid('a parameter type by OID: a composite', 'app.nest', '("(1,5)",x)'),
    parameterOid('a parameter type by OID: a range', 'app.span', '[1,5)'),
    parameterOid('a parameter type by OID: a row of a table', 'holder', '(1,1,5,,)'),
    {
      case: 'a parameter type by OID at a later Bind',
      run: async (world) => {
        const oid = Number((await world.admin(`SELECT 'app.dom'::regtype::oid::int8`)).trim());
        await world.admin(RESET);
        const client = await world.through();
        await client.ask(
          Parse.encode({ statement: 's', sql: 'SELECT $1 IS NULL', parameterTypes: [oid] }),
          sync,
        );
        const values = { portal: '', statement: 's', parameterFormats: [], resultFormats: [] };
        await client.ask(Bind.encode({ ...values, parameters: [Buffer.from('5')] }), execute(''), sync);
        must((await count(world)) === 0, 'it had its effect');
      },
    },
    same({
      case: 'honest parameters and casts are answered as ever',
      steps: [
        'SELECT 1::int8 + 2',
        `SELECT '{1,2}'::int[]`,
        `SELECT 'a'::text || id FROM plain`,
        'SELECT id FROM holder WHERE d = 1',
        'SELECT k FROM holder WHERE id = 1',
        'INSERT INTO plain VALUES (2, 3)',
        'DELETE FROM plain WHERE id = 2',
      ],
      reset: 'DELETE FROM plain WHERE id = 2',
    }),
  ],
};

/** What runs without being named. */
const UNSEEN: AttackGroup = {
  id: 'RT4b',
  scenario: SCENARIO,
  attacks: [
    marks('a domain below a domain', `SELECT '5'::app.over`, `SELECT 5::app.over`),
    marks('an array of domains', `SELECT ARRAY[5]::app.dom[]`),
    marks('an array type by its own name', `SELECT '{5}'::app._dom`),
    marks('a domain over an array of domains', `SELECT '{5}'::app.many`),
    marks('a composite with a domain in it', `SELECT '(1,5)'::app.pair`),
    marks('a composite from a row', 'SELECT ROW(1, 5)::app.pair'),
    marks('a composite in a composite', `SELECT CAST(ROW(ROW(1, 5), 'x') AS app.nest)`),
    marks('a range over a domain', `SELECT '[1,5)'::app.span`),
    marks('a range constructor', 'SELECT app.span(1, 5)'),
    marks('the row type of a table', `SELECT '(1,1,5,,)'::holder`),
    marks('a typed literal', `SELECT app.dom '5'`),
    marks('a cast in the style of a function', `SELECT app.dom('5')`),
    marks('a record filled from JSON', `SELECT json_populate_record(NULL::app.pair, '{"b": 5}')`),
    marks('a record filled from JSON by a row', `SELECT jsonb_populate_record(h, '{"k": 5}') FROM holder h`),
    marks('columns defined at a record function', `SELECT * FROM json_to_record('{"a": 5}') AS r(a app.dom)`),
    marksOn({ majors: [18] }, 'a type that is named in a text', `SELECT pg_input_is_valid('5', 'app.dom')`),
    marksOn(
      { majors: [18] },
      'JSON_VALUE that returns a domain',
      `SELECT JSON_VALUE('5', '$' RETURNING app.dom)`,
    ),
    marks(
      'XMLTABLE with a column of a domain',
      `SELECT * FROM XMLTABLE('/a' PASSING '<a>5</a>' COLUMNS v app.dom PATH '.')`,
    ),
    marks('an implicit cast where no table is named', 'SELECT 1 + ROW(5)::app.key'),
    marks('an implicit cast of a function result', 'SELECT 1 + app.ok_key()'),
    marks('an implicit cast of a column', 'SELECT d + key FROM holder'),
    marks('a cast that to_json looks for', `SELECT to_json('x'::app.doc)`),
    marks('an operator on what a cast made', 'SELECT ROW(5)::app.key OPERATOR(app.+) ROW(6)::app.key'),
    marks('a domain as the parameter of a permitted function', `SELECT app.ok_dom('5')`),
    marks('a literal that takes the domain of a column', `SELECT lag(k, 1, '5') OVER () FROM holder`),
    marks(
      'a literal that takes the domain of a column, by a polymorphic function',
      `SELECT app.ok_any(k, '5') FROM holder`,
    ),
    marks('a literal beside an array of domains', `SELECT ds @> '{5}' FROM holder`),
    marks('a view that casts', 'SELECT k FROM cast_view WHERE id = 1'),
    marks(
      'plain EXPLAIN',
      'EXPLAIN SELECT app.fold(1)',
      `EXPLAIN SELECT * FROM plain WHERE id = app.fold(1)`,
    ),
    marks('a CHECK', 'INSERT INTO checked VALUES (1)'),
    marks('a DEFAULT', 'INSERT INTO defaulted (id) VALUES (1)'),
    marks('a generated column', 'INSERT INTO generated (id) VALUES (1)'),
    marks('an index expression', 'INSERT INTO indexed VALUES (2)'),
    marks('the predicate of an index', 'INSERT INTO partial VALUES (2)'),
    marks('a trigger', 'UPDATE triggered SET id = 2 WHERE id = 1', 'INSERT INTO triggered VALUES (1)'),
    marks('the condition of a trigger', 'INSERT INTO whened VALUES (1)'),
    marks('a trigger that fires at COMMIT', 'BEGIN', 'INSERT INTO deferred VALUES (1)', 'COMMIT'),
    marks(
      'a trigger made to fire at once',
      'BEGIN',
      'INSERT INTO deferred VALUES (1)',
      'SET CONSTRAINTS ALL IMMEDIATE',
      'COMMIT',
    ),
    marks('the trigger of a partition', 'INSERT INTO routed VALUES (1)'),
    marks('the trigger of a partition that a row moves to', 'UPDATE moved SET id = 2 WHERE id = 1'),
    marks('the trigger of a partition that a row leaves', 'UPDATE moved SET id = 3 WHERE id = 4'),
    marks('a row that moves through a view', 'UPDATE moved_view SET id = 2 WHERE id = 1'),
    marks(
      'a row that MERGE moves',
      'MERGE INTO moved m USING (VALUES (1)) v(i) ON m.id = v.i WHEN MATCHED THEN UPDATE SET id = 2',
    ),
    marks('the key of partitions', 'INSERT INTO keyed VALUES (1)'),
    marks('a function in the notation of a column', 'SELECT h.attribute FROM holder h'),
    marks('a materialized view with an index on an expression', 'REFRESH MATERIALIZED VIEW shown'),
    marks('a rule', 'INSERT INTO ruled VALUES (1)'),
    marks('a trigger instead of', 'INSERT INTO stood VALUES (1)'),
    marks('WITH CHECK OPTION', `INSERT INTO narrow VALUES (5, 'x')`),
    marks('the condition of a view that is written', `DELETE FROM narrow WHERE id = 1`),
    marks('a row policy', 'SELECT * FROM secured', 'DELETE FROM secured WHERE id = 1'),
    marks('a write of an array of domains', `INSERT INTO holder (id, ds) VALUES (5, '{5}')`),
    marks('a cascade over children of what is written', 'DELETE FROM parent WHERE id = 1'),
    marks('a cascade by a key that is generated', 'UPDATE top SET id = 7 WHERE id = 2'),
    act({
      case: 'a cascade into a table that must not be changed',
      steps: ['DELETE FROM top WHERE id = 1'],
      effect: 'SELECT count(*) FROM kept',
      reset: RESET,
    }),
    marks('REINDEX runs index expressions', 'REINDEX TABLE owned'),
    marks('ANALYZE runs expressions of statistics', 'ANALYZE owned'),
    marks(
      'a change of type rewrites the table',
      'ALTER TABLE owned ALTER id TYPE int8',
      'ALTER TABLE owned ALTER id TYPE int',
    ),
    marks('a materialized view is refreshed', 'REFRESH MATERIALIZED VIEW fresh'),
    marks('an event trigger', 'CREATE SEQUENCE made'),
    same({
      case: 'honest writes and reads beside all that are as ever',
      steps: [
        'SELECT id FROM checked',
        'SELECT id FROM defaulted',
        'SELECT id, k, ds FROM holder WHERE id = 1',
        'SELECT id FROM triggered WHERE id = 99',
        `SELECT to_json(id), t::int8 IS NULL FROM plain WHERE id = 77`,
        `UPDATE plain SET t = 'b' WHERE id = 1`,
        'DELETE FROM middle WHERE id = 99',
      ],
      reset: RESET,
    }),
  ],
};

/** An operator that comes before PostgreSQL's own on the path that the target's role has by default. */
const OWN_QUESTIONS: AttackGroup = {
  id: 'RT4',
  scenario: {
    policy: POLICY,
    sql: `${ATTACK_FIXTURE}${MARKS}
CREATE SCHEMA first; GRANT USAGE ON SCHEMA first TO PUBLIC;
CREATE FUNCTION first.same(oid, oid) RETURNS boolean LANGUAGE plpgsql AS
  'BEGIN PERFORM app.mark(1); RETURN $1 OPERATOR(pg_catalog.=) $2; END';
CREATE OPERATOR first.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = first.same);
ALTER ROLE hoop SET search_path = first, pg_catalog, public;`,
  },
  attacks: [
    {
      case: "the gateway's own questions run no operator of a user's",
      run: async (world) => {
        const sql = `SELECT 1 FROM pg_catalog.pg_class c WHERE c.oid = 'customers'::pg_catalog.regclass::oid`;
        await (await world.direct()).ask(query(sql));
        must((await count(world)) > 0, 'dead: the operator is not first');
        await world.admin('TRUNCATE app.log');
        const answer = await (await world.through()).ask(query('SELECT 1'));
        must(answer.includes('DataRow 1'), `the catalog could not be read: ${answer.join(' / ')}`);
        must((await count(world)) === 0, 'it had its effect');
      },
    },
  ],
};

export const RT4: readonly AttackGroup[] = [BEFORE, UNSEEN, OWN_QUESTIONS];
