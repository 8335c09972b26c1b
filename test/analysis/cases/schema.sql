-- A small schema with one of everything that resolution depends on. Run before each file beside it.
CREATE SCHEMA other;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE address AS (street text, zip varchar(10), lines text[]);
CREATE TYPE person AS (name text, home address);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN even_positive AS positive CHECK (VALUE % 2 = 0);
CREATE DOMAIN short AS varchar(5);
CREATE DOMAIN tags AS text[];
CREATE DOMAIN home AS address;
CREATE TYPE span AS RANGE (subtype = int, multirange_type_name = spans);

CREATE TABLE customers (
  id int PRIMARY KEY,
  name text NOT NULL,
  email varchar(60),
  code char(4),
  balance numeric(10, 2) DEFAULT 0,
  born date,
  seen timestamptz DEFAULT now(),
  feeling mood,
  lives address,
  at home,
  rank positive,
  even even_positive,
  nick short,
  labels text[],
  marks tags,
  matrix int[][],
  days daterange,
  during span,
  data jsonb,
  raw json,
  big bigint,
  small smallint,
  ratio real,
  rate double precision,
  flag boolean,
  bits bit(8),
  vbits varbit(12),
  wait interval,
  ip inet,
  key uuid,
  octets bytea,
  lower_name text GENERATED ALWAYS AS (lower(name)) STORED
);
CREATE TABLE orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer int REFERENCES customers,
  gone int,
  total numeric(12, 2),
  placed timestamp,
  lines jsonb
);
ALTER TABLE orders DROP COLUMN gone;
CREATE TABLE items (order_id bigint, line int, sku text, amount int, price numeric, PRIMARY KEY (order_id, line));
CREATE TABLE special (extra text) INHERITS (customers);
CREATE TABLE measured (at date, value float8) PARTITION BY RANGE (at);
CREATE TABLE measured_2024 PARTITION OF measured FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE typed OF address;
CREATE TABLE other.customers (id text, note text);
CREATE UNIQUE INDEX customers_email ON customers (email);
CREATE UNIQUE INDEX customers_lower ON customers (lower(name)) WHERE flag;

CREATE VIEW named AS SELECT id, name, upper(email) AS email FROM customers WHERE flag;
CREATE VIEW totals AS SELECT c.id, sum(o.total) AS total, count(*) FROM customers c JOIN orders o ON o.customer = c.id GROUP BY c.id;
CREATE MATERIALIZED VIEW cached AS SELECT * FROM named;

CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
CREATE FUNCTION twice(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
CREATE FUNCTION twice(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1 || $1';
CREATE FUNCTION defaults(a int, b text DEFAULT 'b', c numeric DEFAULT 1) RETURNS text LANGUAGE sql AS 'SELECT b';
CREATE FUNCTION many(VARIADIC int[]) RETURNS int LANGUAGE sql AS 'SELECT $1[1]';
CREATE FUNCTION any_many(VARIADIC anyarray) RETURNS anyelement LANGUAGE sql AS 'SELECT $1[1]';
CREATE FUNCTION first_of(anyelement, anyelement) RETURNS anyelement LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION compatible(anycompatible, anycompatible) RETURNS anycompatible LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION customers_of(text) RETURNS SETOF customers LANGUAGE sql AS 'SELECT * FROM customers WHERE name = $1';
CREATE FUNCTION pairs(n int, OUT a int, OUT b text) RETURNS SETOF record LANGUAGE sql AS 'SELECT n, n::text';
CREATE FUNCTION tabled(int) RETURNS TABLE (x int, y numeric(5, 1)) LANGUAGE sql AS 'SELECT 1, 2.0';
CREATE FUNCTION anything() RETURNS SETOF record LANGUAGE sql AS 'SELECT 1, 2';
CREATE FUNCTION full_name(customers) RETURNS text LANGUAGE sql AS 'SELECT $1.name';
CREATE FUNCTION other.twice(int) RETURNS bigint LANGUAGE sql AS 'SELECT 3::bigint';
CREATE AGGREGATE product(numeric) (SFUNC = numeric_mul, STYPE = numeric);
CREATE AGGREGATE product(int) (SFUNC = int4mul, STYPE = int);

-- A type of one's own with casts that nobody writes.
CREATE TYPE euro AS (cents bigint);
CREATE FUNCTION euro_of(int) RETURNS euro LANGUAGE sql IMMUTABLE AS 'SELECT ROW($1 * 100)::euro';
CREATE FUNCTION cents_of(euro) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT $1.cents';
CREATE FUNCTION euro_text(euro) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1.cents::text';
CREATE CAST (int AS euro) WITH FUNCTION euro_of(int) AS IMPLICIT;
CREATE CAST (euro AS bigint) WITH FUNCTION cents_of(euro) AS ASSIGNMENT;
CREATE CAST (euro AS text) WITH FUNCTION euro_text(euro) AS IMPLICIT;
CREATE FUNCTION euro_add(euro, euro) RETURNS euro LANGUAGE sql IMMUTABLE AS 'SELECT ROW($1.cents + $2.cents)::euro';
CREATE OPERATOR + (LEFTARG = euro, RIGHTARG = euro, FUNCTION = euro_add);
CREATE FUNCTION text_times(text, int) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT repeat($1, $2)';
CREATE OPERATOR * (LEFTARG = text, RIGHTARG = int, FUNCTION = text_times);
CREATE FUNCTION int_bang(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE OPERATOR !!! (RIGHTARG = int, FUNCTION = int_bang);
CREATE TABLE prices (item text, price euro, list euro[]);

-- Operators whose names differ in nothing but where their parts end; "cases" is this database.
CREATE SCHEMA apart;
CREATE SCHEMA "cases.apart";
CREATE OPERATOR apart.### (LEFTARG = int, RIGHTARG = int, FUNCTION = int4pl);
CREATE OPERATOR "cases.apart".### (LEFTARG = int, RIGHTARG = int, FUNCTION = int4mi);

-- A base type of one's own with the casts and operators of a text that ignores case.
CREATE TYPE ci;
CREATE FUNCTION ci_in(cstring) RETURNS ci LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION ci_out(ci) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE ci (INPUT = ci_in, OUTPUT = ci_out, LIKE = text, CATEGORY = 'S', COLLATABLE = true);
CREATE FUNCTION ci_of(char) RETURNS ci LANGUAGE internal IMMUTABLE STRICT AS 'rtrim1';
CREATE CAST (ci AS text) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (ci AS varchar) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (ci AS char) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE CAST (text AS ci) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE CAST (varchar AS ci) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE CAST (char AS ci) WITH FUNCTION ci_of(char) AS ASSIGNMENT;
CREATE FUNCTION ci_eq(ci, ci) RETURNS bool LANGUAGE internal IMMUTABLE STRICT AS 'texteq';
CREATE FUNCTION ci_ne(ci, ci) RETURNS bool LANGUAGE internal IMMUTABLE STRICT AS 'textne';
CREATE FUNCTION ci_lt(ci, ci) RETURNS bool LANGUAGE internal IMMUTABLE STRICT AS 'text_lt';
CREATE FUNCTION ci_le(ci, ci) RETURNS bool LANGUAGE internal IMMUTABLE STRICT AS 'text_le';
CREATE FUNCTION ci_gt(ci, ci) RETURNS bool LANGUAGE internal IMMUTABLE STRICT AS 'text_gt';
CREATE FUNCTION ci_ge(ci, ci) RETURNS bool LANGUAGE internal IMMUTABLE STRICT AS 'text_ge';
CREATE FUNCTION ci_cmp(ci, ci) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'bttextcmp';
CREATE OPERATOR = (LEFTARG = ci, RIGHTARG = ci, FUNCTION = ci_eq, COMMUTATOR = =, NEGATOR = <>, MERGES, HASHES);
CREATE OPERATOR <> (LEFTARG = ci, RIGHTARG = ci, FUNCTION = ci_ne, COMMUTATOR = <>, NEGATOR = =);
CREATE OPERATOR < (LEFTARG = ci, RIGHTARG = ci, FUNCTION = ci_lt, COMMUTATOR = >, NEGATOR = >=);
CREATE OPERATOR <= (LEFTARG = ci, RIGHTARG = ci, FUNCTION = ci_le, COMMUTATOR = >=, NEGATOR = >);
CREATE OPERATOR > (LEFTARG = ci, RIGHTARG = ci, FUNCTION = ci_gt, COMMUTATOR = <, NEGATOR = <=);
CREATE OPERATOR >= (LEFTARG = ci, RIGHTARG = ci, FUNCTION = ci_ge, COMMUTATOR = <=, NEGATOR = <);
CREATE OPERATOR CLASS ci_ops DEFAULT FOR TYPE ci USING btree AS
  OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 ci_cmp(ci, ci);
CREATE FUNCTION replace(ci, ci, ci) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT replace($1::text, $2::text, $3::text)';
CREATE DOMAIN label AS ci;

-- A schema behind the others in the path, with names that are there too.
CREATE SCHEMA more;
CREATE FUNCTION more.twice(int) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ''x''';
CREATE FUNCTION more.twice(bigint) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ''x''';
CREATE FUNCTION more.twice(anyelement) RETURNS anyarray LANGUAGE sql IMMUTABLE AS 'SELECT ARRAY[$1]';
CREATE FUNCTION more.lower(varchar) RETURNS varchar LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION more.shadow(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION shadow(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
CREATE FUNCTION more.shadow(VARIADIC int[]) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION more.maybe(int, int DEFAULT 5) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION more.maybe(int, text DEFAULT 'x', int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION more.named(a int, b text DEFAULT 'x', VARIADIC c int[] DEFAULT '{}') RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION more.within(anyelement, anyrange) RETURNS bool LANGUAGE sql AS 'SELECT true';
CREATE FUNCTION more.wrapped(anycompatible, anycompatiblearray) RETURNS anycompatiblearray LANGUAGE sql AS 'SELECT $2';
CREATE FUNCTION more.ranged(anycompatible, anycompatiblerange) RETURNS anycompatible LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION more.multi(anyrange) RETURNS anymultirange LANGUAGE sql AS 'SELECT multirange($1)';
CREATE FUNCTION more.enumerated(anyenum) RETURNS anyenum LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION more.notarray(anynonarray) RETURNS anyarray LANGUAGE sql AS 'SELECT ARRAY[$1]';
CREATE FUNCTION more.outs(IN anyelement, OUT same anyelement, OUT list anyarray, OUT n int) LANGUAGE sql AS 'SELECT $1, ARRAY[$1], 1';
CREATE FUNCTION more.both(INOUT a int, INOUT b text) LANGUAGE sql AS 'SELECT 1, ''x''';
CREATE FUNCTION more.single(OUT only_one numeric) LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION more.several(int) RETURNS SETOF int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION more.home_of(int) RETURNS home LANGUAGE sql AS 'SELECT NULL::home';
CREATE FUNCTION more.people() RETURNS SETOF person LANGUAGE sql AS 'SELECT NULL::person';
CREATE FUNCTION more.items_array() RETURNS address[] LANGUAGE sql AS 'SELECT NULL::address[]';
CREATE FUNCTION more.rec(int) RETURNS record LANGUAGE sql AS 'SELECT 1, 2';
CREATE FUNCTION more.typed_table() RETURNS TABLE (a label, b address, c positive) LANGUAGE sql AS 'SELECT NULL::label, NULL::address, NULL::positive';
CREATE FUNCTION more.summed(numeric, VARIADIC numeric[]) RETURNS numeric LANGUAGE sql AS 'SELECT 1.0';
CREATE AGGREGATE more.total(VARIADIC numeric[]) (SFUNC = more.summed, STYPE = numeric);
CREATE AGGREGATE more.median(float8 ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
CREATE AGGREGATE more.placed(VARIADIC "any" ORDER BY VARIADIC "any") (SFUNC = ordered_set_transition_multi, STYPE = internal, FINALFUNC = rank_final, FINALFUNC_EXTRA, HYPOTHETICAL);
CREATE FUNCTION more.near(int, int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE FUNCTION more.nearer(bigint, bigint) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ''x''';
CREATE OPERATOR more.<~> (LEFTARG = int, RIGHTARG = int, FUNCTION = more.near);
CREATE OPERATOR other.<~> (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = more.nearer);
CREATE OPERATOR other.+ (LEFTARG = int, RIGHTARG = int, FUNCTION = more.near);

CREATE DOMAIN addresses AS address[];
CREATE DOMAIN homes AS home[];
CREATE DOMAIN document AS jsonb;
CREATE TYPE nested AS (place home, many address[], mark positive, doc jsonb);
CREATE TABLE odd (
  gone_first int,
  id serial PRIMARY KEY,
  "Mixed Case" text,
  gone_between text,
  tag ci,
  tags label[],
  places addresses,
  houses homes,
  one nested,
  many nested[],
  doc document,
  amount numeric(8, 3) DEFAULT 1.5,
  short varchar(5)[],
  "select" int GENERATED ALWAYS AS (1) STORED,
  spans spans,
  moods mood[],
  gone_last int
);
ALTER TABLE odd DROP COLUMN gone_first, DROP COLUMN gone_between, DROP COLUMN gone_last;
ALTER TABLE odd ADD COLUMN late int;
CREATE TABLE odd_child (more text) INHERITS (odd);
CREATE TABLE grandchild (CHECK (true)) INHERITS (odd_child);
CREATE FUNCTION of_odd(odd) RETURNS int LANGUAGE sql AS 'SELECT $1.id';
CREATE TABLE keyed (a int, b text, c numeric, PRIMARY KEY (b, a));
CREATE TABLE wide (id bigint, name varchar(10), code text, at timestamptz);
CREATE TABLE narrow (id smallint, name char(10), code varchar(3), at date);
CREATE TABLE partitioned (id int, region text, value numeric) PARTITION BY LIST (region);
CREATE TABLE partitioned_eu PARTITION OF partitioned FOR VALUES IN ('eu') PARTITION BY RANGE (id);
CREATE TABLE partitioned_eu_low (value numeric, region text, id int);
ALTER TABLE partitioned_eu ATTACH PARTITION partitioned_eu_low FOR VALUES FROM (0) TO (100);
CREATE TEMPORARY TABLE scratch (id int, note varchar(7), orders text);
CREATE TEMPORARY TABLE orders_copy AS SELECT * FROM orders;
CREATE TEMPORARY VIEW scratched AS SELECT note FROM scratch;
CREATE VIEW records AS SELECT c AS whole, lives AS place FROM customers c;
CREATE VIEW counted AS SELECT row_number() OVER () AS n, id, tag FROM odd;
SET search_path = public, more;
