-- A chain of shops, as its analysts see it. What is masked in it, `schema.ts` says.
SET client_min_messages = error;
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE EXTENSION ltree;
CREATE EXTENSION cube;
CREATE EXTENSION pg_trgm;

CREATE TYPE order_status AS ENUM ('new', 'paid', 'shipped', 'returned');
-- What applications add whose drivers send every text as varchar.
CREATE FUNCTION to_status(varchar) RETURNS order_status IMMUTABLE STRICT LANGUAGE sql AS 'SELECT $1::text::order_status';
CREATE CAST (varchar AS order_status) WITH FUNCTION to_status(varchar) AS IMPLICIT;
CREATE TYPE dimensions AS (width numeric, height numeric);
CREATE DOMAIN percentage AS numeric(5, 2) CHECK (VALUE BETWEEN 0 AND 100);

CREATE TABLE regions (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE stores (id int PRIMARY KEY, region_id int REFERENCES regions, name citext NOT NULL, opened date, place cube);
CREATE TABLE employees (
  id int PRIMARY KEY, store_id int REFERENCES stores, manager_id int REFERENCES employees, name text, title text, hired date,
  email citext, salary numeric(10, 2));
CREATE TABLE customers (
  id int PRIMARY KEY, name citext, city text, country char(2), signed_up date, tags text[], attrs hstore, prefs jsonb,
  email citext, phone text, born date);
CREATE TABLE vip_customers (discount percentage) INHERITS (customers);
CREATE TABLE categories (id int PRIMARY KEY, parent_id int, name text, path ltree);
CREATE TABLE products (
  id int PRIMARY KEY, category_id int REFERENCES categories, name varchar(80), price numeric(10, 2), weight real, size dimensions, box cube,
  active boolean, released date, details jsonb);
CREATE TABLE orders (
  id int PRIMARY KEY, customer_id int, store_id int REFERENCES stores, employee_id int REFERENCES employees, placed timestamptz,
  status order_status, delivery daterange, note varchar(60));
CREATE TABLE order_items (order_id int REFERENCES orders, line int, product_id int REFERENCES products, quantity int, price numeric(10, 2), discount percentage,
  gross numeric GENERATED ALWAYS AS (quantity * price) STORED, PRIMARY KEY (order_id, line));
CREATE TABLE payments (id int PRIMARY KEY, order_id int REFERENCES orders, method text, amount numeric(12, 2), paid timestamptz, card text);
CREATE TABLE events (at timestamptz, customer_id int, kind text, payload jsonb, ip inet) PARTITION BY RANGE (at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE reviews (id int PRIMARY KEY, product_id int REFERENCES products, customer_id int, stars int, body text,
  words tsvector GENERATED ALWAYS AS (to_tsvector('english', body)) STORED);
CREATE TABLE inventory (store_id int, product_id int, quantity int, updated timestamp, PRIMARY KEY (store_id, product_id));
CREATE TABLE shifts (employee_id int, during tstzrange);

INSERT INTO regions VALUES (1, 'North'), (2, 'South'), (3, 'West');
INSERT INTO stores SELECT n, 1 + n % 3, 'Store ' || n, date '2015-01-01' + n * 200, cube(ARRAY[n, n * 2]::float8[]) FROM generate_series(1, 6) n;
INSERT INTO employees SELECT n, 1 + n % 6, nullif((n - 1) / 4, 0), 'Employee ' || n, (ARRAY['clerk', 'cashier', 'lead'])[1 + n % 3], date '2016-01-01' + n * 40,
  'e' || n || '@shop.example', 2000 + n * 37 FROM generate_series(1, 30) n;
INSERT INTO customers SELECT n, 'Customer ' || n, (ARRAY['Berlin', 'Paris', 'Oslo', 'Rome'])[1 + n % 4], (ARRAY['DE', 'FR', 'NO', 'IT'])[1 + n % 4],
  date '2024-01-01' + n * 9, string_to_array((ARRAY['new,web', 'b2b', 'web,news'])[1 + n % 3], ','),
  hstore(ARRAY['tier', 'source'], ARRAY[(n % 3)::text, CASE n % 2 WHEN 0 THEN 'ad' ELSE 'friend' END]),
  jsonb_build_object('language', (ARRAY['de', 'fr', 'en'])[1 + n % 3], 'mail', n % 2 = 0, 'sizes', jsonb_build_array(n % 5, n % 7)),
  'c' || n || '@mail.example', '+49 30 ' || 100000 + n, CASE WHEN n % 7 > 0 THEN date '1960-01-01' + n * 111 END FROM generate_series(1, 80) n;
INSERT INTO vip_customers SELECT 100 + n, 'Vip ' || n, 'Berlin', 'DE', date '2023-01-01' + n, ARRAY['vip'], 'tier=>9', '{"language": "de"}',
  'v' || n || '@mail.example', '+49 40 ' || n, date '1970-01-01' + n, 5 * n FROM generate_series(1, 10) n;
INSERT INTO categories VALUES (1, NULL, 'All', 'all'), (2, 1, 'Tools', 'all.tools'), (3, 1, 'Garden', 'all.garden'), (4, 2, 'Saws', 'all.tools.saws'),
  (5, 2, 'Drills', 'all.tools.drills'), (6, 3, 'Seeds', 'all.garden.seeds');
INSERT INTO products SELECT n, 1 + n % 6, (ARRAY['Saw', 'Drill', 'Rake', 'Hose', 'Seed'])[1 + n % 5] || ' ' || n, 5 + n * 1.75, n * 0.3, ROW(n, n + 1)::dimensions,
  cube(ARRAY[n, n, 1]::float8[]), n % 6 > 0, date '2022-01-01' + n * 13, jsonb_build_object('colour', (ARRAY['red', 'blue'])[1 + n % 2], 'parts', jsonb_build_array(jsonb_build_object('id', n, 'qty', n % 3)))
  FROM generate_series(1, 40) n;
INSERT INTO orders SELECT n, 1 + n % 75, 1 + n % 6, 1 + n % 30, timestamptz '2025-01-01 08:00Z' + n * interval '17 hours', (ARRAY['new', 'paid', 'shipped', 'returned'])[1 + n % 4]::order_status,
  daterange(date '2025-01-03' + n, date '2025-01-05' + n + n % 4), CASE WHEN n % 5 = 0 THEN 'gift ' || n END FROM generate_series(1, 300) n;
INSERT INTO order_items SELECT o, l, 1 + (o * 7 + l * 3) % 40, 1 + (o + l) % 4, 5 + ((o + l) % 20) * 1.5, (o % 4) * 5 FROM generate_series(1, 300) o, generate_series(1, 3) l WHERE l <= 1 + o % 3;
INSERT INTO payments SELECT n, n, (ARRAY['card', 'cash', 'transfer'])[1 + n % 3], 20 + n % 90, timestamptz '2025-01-01 09:00Z' + n * interval '17 hours',
  CASE n % 3 WHEN 0 THEN '4111 1111 1111 ' || 1000 + n END FROM generate_series(1, 300) n WHERE n % 4 > 0;
INSERT INTO events SELECT timestamptz '2025-06-01Z' + n * interval '31 hours', 1 + n % 80, (ARRAY['view', 'cart', 'buy'])[1 + n % 3], jsonb_build_object('page', n % 9, 'ms', n * 3 % 500),
  ('10.0.' || n % 9 || '.' || n % 200)::inet FROM generate_series(1, 350) n;
INSERT INTO reviews SELECT n, 1 + n % 40, 1 + n % 80, 1 + n % 5, (ARRAY['Works very well and looks nice', 'Broke after two days', 'Good value for the garden'])[1 + n % 3] FROM generate_series(1, 120) n;
INSERT INTO inventory SELECT s, p, (s * p) % 50, timestamp '2026-01-01' + p * interval '1 hour' FROM generate_series(1, 6) s, generate_series(1, 40) p;
INSERT INTO shifts SELECT 1 + n % 30, tstzrange(timestamptz '2026-02-01 06:00Z' + n * interval '6 hours', timestamptz '2026-02-01 14:00Z' + n * interval '6 hours') FROM generate_series(1, 60) n;

CREATE INDEX ON customers USING gin (tags);
CREATE INDEX ON products USING gin (name gin_trgm_ops);
CREATE INDEX ON orders (placed);
CREATE VIEW open_orders AS SELECT id, customer_id, store_id, placed FROM orders WHERE status IN ('new', 'paid');
CREATE VIEW order_totals AS SELECT o.id, o.customer_id, o.store_id, o.placed, o.status, sum(i.gross) AS gross, sum(i.gross * (1 - i.discount / 100)) AS net, count(*) AS lines
  FROM orders o JOIN order_items i ON i.order_id = o.id GROUP BY o.id;
CREATE VIEW contacts AS SELECT id, name, city, email, phone FROM customers;
CREATE VIEW german_contacts AS SELECT id, name, email FROM contacts WHERE city = 'Berlin';
CREATE VIEW everyone AS SELECT 'customer' AS kind, id, name::text AS name, email FROM customers UNION ALL SELECT 'employee', id, name, email FROM employees;
CREATE VIEW staff AS SELECT e.id, e.name, e.title, m.name AS manager, s.name AS store FROM employees e LEFT JOIN employees m ON m.id = e.manager_id JOIN stores s ON s.id = e.store_id;
CREATE VIEW monthly AS SELECT date_trunc('month', placed AT TIME ZONE 'UTC') AS month, store_id, sum(net) AS net, count(*) AS orders FROM order_totals GROUP BY 1, 2;
CREATE MATERIALIZED VIEW product_stats AS SELECT p.id, p.name, count(i.*) AS sold, coalesce(sum(i.quantity), 0) AS units, avg(r.stars) AS stars
  FROM products p LEFT JOIN order_items i ON i.product_id = p.id LEFT JOIN reviews r ON r.product_id = p.id GROUP BY p.id;
CREATE FUNCTION net(price numeric, discount numeric) RETURNS numeric IMMUTABLE LANGUAGE sql AS 'SELECT price * (1 - discount / 100)';
CREATE FUNCTION with_tax(price numeric, rate numeric DEFAULT 0.19) RETURNS numeric IMMUTABLE LANGUAGE sql RETURN price * (1 + rate);
CREATE FUNCTION label(text, int) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN $1 || ' #' || $2; END $$;
CREATE FUNCTION top_products(most int) RETURNS TABLE (id int, name text, units bigint) STABLE LANGUAGE sql
  AS 'SELECT p.id, p.name, sum(i.quantity) FROM products p JOIN order_items i ON i.product_id = p.id GROUP BY p.id ORDER BY 3 DESC, 1 LIMIT most';
ALTER TABLE customers OWNER TO hoop;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO hoop;
ANALYZE;
