import { type AttackGroup, FORMS, type Form, leak } from '../attack.ts';
import { DETECTING } from './detecting.ts';

const FIXTURE = `
CREATE EXTENSION hstore;
CREATE EXTENSION citext;
CREATE DOMAIN card_no AS bigint;
CREATE DOMAIN contact AS text;
CREATE TYPE person AS (id int, mail text, pan bigint);
CREATE TYPE team AS (name text, lead person, members person[]);
CREATE TYPE mailrange AS RANGE (subtype = text);
CREATE TABLE pay (id int, pan bigint, mail text, pans bigint[], doc jsonb, d card_no, c contact);
INSERT INTO pay VALUES (1, 4111111111111111, 'ann@example.com', '{4111111111111111,NULL,7}',
  '{"who":{"mail":"ann@example.com"},"n":[4111111111111111]}', 4111111111111111, 'ann@example.com');
GRANT SELECT ON ALL TABLES IN SCHEMA public TO hoop;
`;

const CARD = '4111111111111111';
const MAIL = 'ann@example.com';
const TEXT: readonly Form[] = ['simple', 'extended, text'];
const BINARY: readonly Form[] = ['extended, binary'];

const hidden = (what: string, expression: string, secret = CARD, forms = FORMS) =>
  leak({ case: what, steps: [`SELECT ${expression} FROM pay`], secret, forms });

const copied = (what: string, sql: string, secret = CARD) =>
  leak({ case: `COPY: ${what}`, steps: [sql], secret, forms: ['simple'] });

/** Values that detectors are to find whatever type and form they come in. */
export const RT7: readonly AttackGroup[] = [
  {
    id: 'RT7',
    scenario: { policy: DETECTING, sql: FIXTURE },
    attacks: [
      hidden('an array of numbers', 'array_agg(pan)'),
      hidden('an array of two dimensions, with NULL', `ARRAY[ARRAY[pan, NULL], ARRAY[1, 2]]`),
      hidden('an array with bounds of its own', `('[5:6]={' || pan || ',NULL}')::int8[]`),
      hidden('an array of texts', 'array_agg(mail)', MAIL),
      hidden('an array of numerics', 'ARRAY[pan::numeric(30,0)]'),
      hidden('an array of documents', 'ARRAY[doc, doc]', MAIL),
      hidden('an array of a domain', 'ARRAY[d, NULL]'),
      hidden('a domain of text', 'c', MAIL),
      hidden('an array of a domain of text', 'ARRAY[c]', MAIL),
      hidden('a numeric with a scale', 'pan::numeric(30,4)'),
      hidden('a numeric of many digits behind the point', 'pan::numeric(200,100)'),
      hidden('a record', 'ROW(1, pan, mail)'),
      hidden('a record of a mail', 'ROW(1, pan, mail)', MAIL),
      hidden('a record in a record', 'ROW(1, ROW(ROW(pan)))'),
      hidden('a whole row', 'pay'),
      hidden('a whole row with its mail', 'pay', MAIL),
      hidden('a composite', 'ROW(1, mail, pan)::person', MAIL),
      hidden(
        'a composite of composites',
        `ROW('a', ROW(1, mail, pan)::person, ARRAY[ROW(1, mail, pan)::person])::team`,
      ),
      hidden('an array of records', 'array_agg(pay)', MAIL),
      hidden('a range of numbers', 'int8range(pan, pan + 5)'),
      hidden('a range of numerics', 'numrange(pan, NULL)'),
      hidden('a range of texts', `mailrange(mail, NULL)`, MAIL),
      hidden('a multirange', 'int8multirange(int8range(pan, pan + 5), int8range(1, 2))'),
      hidden('an array of ranges', 'ARRAY[int8range(pan, pan + 5)]'),
      hidden('hstore', `hstore('a', mail)`, MAIL),
      hidden('a key of hstore', `hstore(pan::text, 'x')`),
      hidden('citext', 'mail::citext', MAIL),
      hidden('an array of citext', 'ARRAY[mail::citext]', MAIL),
      hidden('xml', 'xmlelement(name a, pan)'),
      hidden('json', 'row_to_json(pay)', MAIL),
      hidden('jsonb', 'doc', MAIL),
      hidden('a number in jsonb', 'doc'),
      hidden('a key of jsonb', `jsonb_build_object(mail, 1)`, MAIL),
      hidden('a path', `('$."' || mail || '"')::jsonpath`, MAIL),
      hidden('octets', 'pan::text::bytea'),
      hidden('octets of a mail', 'mail::bytea', MAIL),
      hidden('an array of octets', 'ARRAY[pan::text::bytea]'),
      hidden('octets in a record', 'ROW(pan::text::bytea)'),
      hidden('packed digits', `decode(pan::text, 'hex')`, CARD, TEXT),
      hidden(
        'octets among others',
        `'\\xff00ff'::bytea || (' card: ' || pan || ' end ')::bytea || '\\xfffe'::bytea`,
      ),
      hidden('base64', `encode(pan::text::bytea, 'base64')`),
      hidden('hexadecimal text', `encode(mail::bytea, 'hex')`, MAIL),
      hidden('bits', `('x' || encode(mail::bytea, 'hex'))::bit(120)`, MAIL, BINARY),
      hidden('lexemes', 'to_tsvector(mail)', MAIL),
      hidden('a search', `quote_literal(mail)::tsquery`, MAIL),
      hidden('name', 'mail::name', MAIL),
      hidden('bpchar', 'mail::char(20)', MAIL),
      hidden('an array of "char" made text', `array_to_string(ARRAY[mail], ',')`, MAIL),
      hidden('octets of a number', 'int8send(pan)', CARD, BINARY),
      hidden('bits of a number', 'pan::bit(64)', CARD, BINARY),
      hidden('a place in the log', `'0/0'::pg_lsn + pan`, CARD, BINARY),
      hidden('a time', `timestamp '2000-01-01' + pan * interval '1 microsecond'`, CARD, BINARY),
      hidden('a span of time', `pan * interval '1 microsecond'`, CARD, BINARY),
      hidden('money', `(pan::numeric / 100)::money`, CARD, BINARY),
      leak({
        case: 'a cursor that is binary',
        steps: ['BEGIN', 'DECLARE c BINARY CURSOR FOR SELECT pan, ARRAY[mail] FROM pay', 'FETCH c', 'COMMIT'],
        secret: CARD,
        forms: ['simple'],
      }),
      hidden('xid8', 'pan::text::xid8'),
      hidden('a function of rows', `unnest(ARRAY[pan, 1])`),
      hidden('several columns of several types', 'pan, pans, doc, d, c'),
      copied('text', 'COPY pay TO STDOUT'),
      copied(
        'text with options',
        `COPY pay (id, pan, c) TO STDOUT (DELIMITER '|', NULL 'nil', ENCODING 'UTF8')`,
      ),
      copied('documents in text', 'COPY pay (doc) TO STDOUT', MAIL),
      copied('csv', 'COPY pay TO STDOUT (FORMAT csv, HEADER)'),
      copied('csv with options', `COPY pay TO STDOUT WITH CSV DELIMITER ';' QUOTE '''' FORCE QUOTE *`, MAIL),
      copied(
        'csv of a query',
        `COPY (SELECT 'a "quoted" ' || mail, ROW(pan), ARRAY[pan] FROM pay) TO STDOUT CSV`,
      ),
      copied(
        'csv of a query, its mail',
        `COPY (SELECT 'a "quoted"' || E'\n' || mail FROM pay) TO STDOUT CSV`,
        MAIL,
      ),
      copied('binary', 'COPY pay TO STDOUT (FORMAT binary)'),
      copied('binary, its mail', 'COPY pay TO STDOUT (FORMAT binary)', MAIL),
      copied('binary of a query', 'COPY (SELECT array_agg(pan) FROM pay) TO STDOUT (FORMAT binary)'),
      copied('octets', `COPY (SELECT mail::bytea FROM pay) TO STDOUT`, MAIL),
      copied('another encoding', `COPY (SELECT mail FROM pay) TO STDOUT (ENCODING 'LATIN1')`, MAIL),
    ],
  },
];
