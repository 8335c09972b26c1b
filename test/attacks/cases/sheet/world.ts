/** What the attacks of the sheet on PostgreSQL share: its fixture, its policies and its secrets. */
import { ATTACK_COLUMNS, ATTACK_FIXTURE } from '../../../support/stack.ts';

export const SSN = '123-45-6789';
export const EMAIL = 'ann@example.com';
export const PAN = '4111111111111111';

/** Reads, and calls of what only computes; personal data is masked. */
export const READ_ONLY = `
@id("use") permit (principal, action in [Action::"connect", Action::"sql.read", Action::"sql.transaction", Action::"sql.set", Action::"sql.copy-out"], resource);
@id("functions") permit (principal, action == Action::"sql.call", resource is Function) when { resource.class == "pure" || resource.class == "catalog" };
@id("show") permit (principal, action == Action::"reveal", resource);
@id("pii-is-masked") @mask("redact") forbid (principal, action == Action::"reveal", resource is Column) when { resource.tags.containsAny(["pii.email", "pii.national-id", "pii.card"]) };
`;

/** As the sheet has it, and what its single rows want. All that is secret is classified. */
export const SHEET = `${ATTACK_FIXTURE}
CREATE EXTENSION hstore;
CREATE SCHEMA evil;
CREATE FUNCTION evil.lower(text) RETURNS text LANGUAGE sql AS 'SELECT ssn FROM public.customers WHERE id = 1';
CREATE TABLE evil.sw (a text); INSERT INTO evil.sw VALUES ('other rows');
CREATE TABLE sw (a text); INSERT INTO sw VALUES ('these rows');
CREATE FUNCTION get_customers() RETURNS SETOF customers LANGUAGE sql AS 'SELECT * FROM customers';
CREATE FUNCTION rc() RETURNS refcursor LANGUAGE plpgsql AS
  $$DECLARE rr refcursor := 'rr'; BEGIN OPEN rr FOR SELECT ssn FROM customers; RETURN rr; END$$;
CREATE FUNCTION harm(text) RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no'
  USING DETAIL = (SELECT ssn FROM customers WHERE id = 1), HINT = (SELECT email FROM customers WHERE id = 1),
  COLUMN = $1, TABLE = (SELECT ssn FROM customers WHERE id = 1), CONSTRAINT = (SELECT ssn FROM customers WHERE id = 1); END$$;
CREATE PROCEDURE p() LANGUAGE sql AS 'DELETE FROM orders';
CREATE VIEW v2 AS SELECT x AS ssn2, id FROM v_cust;
CREATE MATERIALIZED VIEW mv AS SELECT id, ssn AS kept FROM customers;
CREATE TABLE child (grade int) INHERITS (customers);
INSERT INTO child VALUES (3, 'Cy', 'cy@example.com', '555-44-3333', 'x', 1);
CREATE TABLE parts (id int, ssn text) PARTITION BY RANGE (id);
CREATE TABLE part1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
INSERT INTO parts VALUES (1, '${SSN}');
CREATE DOMAIN national_id AS text;
CREATE TYPE pair AS (a text, b int);
CREATE TABLE kinds (id int, num numeric, big int8, day date, host inet, key uuid, doc jsonb, raw bytea, list text[], pair pair, span daterange, dom national_id, at timestamptz);
INSERT INTO kinds VALUES (1, 4111111111111111, 4111111111111111, '1987-06-05', '10.98.76.54', 'deadbeef-dead-beef-dead-beefdeadbeef',
  '{"s":"${SSN}"}', '${SSN}', ARRAY['${SSN}'], ROW('${SSN}', 1), '[1987-06-05,1987-06-06)', '${SSN}', '1987-06-05 04:03:02+00');
CREATE TABLE pk (a text PRIMARY KEY);
ALTER TABLE orders ADD COLUMN hint text DEFAULT '${SSN}';
GRANT ALL ON ALL TABLES IN SCHEMA public, evil TO hoop;
GRANT ALL ON SCHEMA public, evil TO hoop;
ALTER TABLE customers OWNER TO hoop;
ALTER TABLE orders OWNER TO hoop;
COPY customers TO PROGRAM 'cat > sheet-secret';
ANALYZE;
`;

export const SHEET_COLUMNS = {
  ...ATTACK_COLUMNS,
  'public.parts.ssn': ['pii.national-id'],
  'public.orders.hint': ['pii.national-id'],
  'evil.sw.a': ['pii.national-id'],
  ...Object.fromEntries(
    ['num', 'big', 'day', 'host', 'key', 'doc', 'raw', 'list', 'pair', 'span', 'dom', 'at'].map((name) => [
      `public.kinds.${name}`,
      ['pii.national-id'],
    ]),
  ),
};

/** What the sheet's orders are, and how they are put back. */
export const ORDERS = {
  effect: "SELECT string_agg(concat_ws(',', id, customer_id, pan, status), ' ' ORDER BY id) FROM orders",
  reset: `TRUNCATE orders; INSERT INTO orders (id, customer_id, pan, status) VALUES (1, 1, ${PAN}, 'new'), (2, 2, 5500005555555559, 'new')`,
};
