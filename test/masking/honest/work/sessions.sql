-- What applications, migrations and loads do in sessions of several statements: a paragraph is a session, whose changes are undone.

-- An application by its ORM.
BEGIN
SELECT "customers"."id", "customers"."name", "customers"."city" FROM "customers" WHERE "customers"."id" = 7 LIMIT 21
INSERT INTO "customers" ("id", "name", "city", "country", "signed_up", "email", "phone", "born") VALUES (9001, 'Ann', 'Oslo', 'NO', '2026-01-01', 'ann@mail.example', '+47 1', NULL) RETURNING "customers"."id"
UPDATE "customers" SET "name" = 'Ann B', "email" = 'ab@mail.example', "phone" = '+47 2' WHERE "customers"."id" = 9001
SELECT COUNT(*) AS "__count" FROM "customers"
SELECT (1) AS "a" FROM "customers" WHERE "customers"."id" = 9001 LIMIT 1
INSERT INTO "orders" ("id", "customer_id", "store_id", "placed", "status") VALUES (90001, 9001, 1, '2026-01-02T10:00:00+00:00'::timestamptz, 'new'), (90002, 9001, 2, '2026-01-02T11:00:00+00:00'::timestamptz, 'paid') RETURNING "orders"."id"
INSERT INTO order_items (order_id, line, product_id, quantity, price, discount) VALUES (90001, 1, 3, 2, 9.5, 10) RETURNING gross
SELECT "orders"."id", "orders"."status" FROM "orders" WHERE "orders"."customer_id" IN (9001) ORDER BY "orders"."id" ASC FOR UPDATE
UPDATE "orders" SET "status" = (CASE WHEN ("orders"."id" = 90001) THEN 'paid' WHEN ("orders"."id" = 90002) THEN 'shipped' ELSE NULL END)::order_status WHERE "orders"."id" IN (90001, 90002)
DELETE FROM "order_items" WHERE "order_items"."order_id" IN (90001)
DELETE FROM "orders" WHERE "orders"."id" IN (90001, 90002)
DELETE FROM "customers" WHERE "customers"."id" IN (9001)
-- masks: email, phone
SELECT id, name, email, phone FROM customers WHERE id = 8 FOR NO KEY UPDATE SKIP LOCKED
ROLLBACK

-- Savepoints, and what fails within them.
BEGIN ISOLATION LEVEL REPEATABLE READ
SAVEPOINT s1
INSERT INTO regions VALUES (1, 'again')
ROLLBACK TO SAVEPOINT s1
INSERT INTO regions VALUES (4, 'East') ON CONFLICT DO NOTHING
RELEASE SAVEPOINT s1
SELECT * FROM regions ORDER BY id
SAVEPOINT s2
UPDATE stores SET region_id = 99 WHERE id = 1
ROLLBACK TO s2
UPDATE stores SET region_id = 4 WHERE id = 1 RETURNING id, name, region_id
ROLLBACK

-- Upserts and merges.
BEGIN
INSERT INTO inventory VALUES (1, 1, 5, '2026-02-01') ON CONFLICT (store_id, product_id) DO UPDATE SET quantity = inventory.quantity + excluded.quantity, updated = excluded.updated RETURNING *
INSERT INTO inventory AS i SELECT 2, g, g, '2026-02-02' FROM generate_series(1, 4) g ON CONFLICT (store_id, product_id) DO UPDATE SET quantity = greatest(i.quantity, excluded.quantity) WHERE i.quantity < excluded.quantity RETURNING i.product_id, i.quantity
MERGE INTO inventory i USING (VALUES (3, 1, 7), (3, 99, 8)) v(store, product, n) ON i.store_id = v.store AND i.product_id = v.product WHEN MATCHED THEN UPDATE SET quantity = v.n WHEN NOT MATCHED THEN INSERT VALUES (v.store, v.product, v.n, '2026-02-03')
SELECT product_id, quantity FROM inventory WHERE store_id = 3 AND product_id IN (1, 99) ORDER BY 1
INSERT INTO customers (id, name, email) VALUES (7, 'Seven', 'seven@mail.example') ON CONFLICT (id) DO UPDATE SET name = excluded.name, email = excluded.email RETURNING id, name
-- masks: email
INSERT INTO customers (id, name, email) VALUES (7, 'Seven', 'seven@mail.example') ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING id, email
INSERT INTO customers (id, name, email) VALUES (7, 'Seven', 'seven@mail.example') ON CONFLICT DO NOTHING
ROLLBACK

-- Data changed in CTEs.
BEGIN
WITH moved AS (DELETE FROM shifts WHERE employee_id = 3 RETURNING *) INSERT INTO shifts SELECT 4, during FROM moved RETURNING employee_id
WITH done AS (UPDATE orders SET status = 'shipped' WHERE status = 'paid' AND store_id = 2 RETURNING id, customer_id) SELECT count(*), min(id) FROM done
WITH gone AS (DELETE FROM reviews WHERE stars = 1 RETURNING product_id) SELECT product_id, count(*) FROM gone GROUP BY 1 ORDER BY 1 LIMIT 5
WITH up AS (UPDATE customers SET city = 'Bergen' WHERE country = 'NO' RETURNING id, city) SELECT city, count(*) FROM up GROUP BY city
UPDATE orders o SET note = c.name FROM customers c WHERE c.id = o.customer_id AND o.id < 4 RETURNING o.id, o.note
UPDATE customers SET email = NULL WHERE id = 3
UPDATE customers SET email = lower('A@B.example'), phone = DEFAULT WHERE id = 3 RETURNING id
DELETE FROM order_items USING orders o WHERE o.id = order_id AND o.status = 'returned' AND o.store_id = 3
ROLLBACK

-- A load by temporary tables.
BEGIN
CREATE TEMP TABLE staging (id int PRIMARY KEY, sku text NOT NULL, qty int CHECK (qty >= 0), seen timestamptz DEFAULT '2026-01-01Z') ON COMMIT DROP
INSERT INTO staging (id, sku, qty) SELECT g, 'S' || g % 5, g FROM generate_series(1, 50) g
CREATE INDEX ON staging (sku)
ANALYZE staging
SELECT sku, sum(qty) FROM staging GROUP BY sku ORDER BY sku
SELECT s.id, p.name FROM staging s JOIN products p ON p.id = s.id WHERE s.qty < 5 ORDER BY s.id
UPDATE staging SET qty = qty + 1 WHERE sku = 'S1' RETURNING id, qty
ALTER TABLE staging ADD COLUMN checked boolean DEFAULT false
UPDATE staging SET checked = true WHERE EXISTS (SELECT FROM products p WHERE p.id = staging.id)
SELECT checked, count(*) FROM staging GROUP BY checked ORDER BY checked
CREATE TEMP TABLE top AS SELECT product_id, sum(quantity) AS units FROM order_items GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5
SELECT * FROM top ORDER BY units DESC, product_id
SELECT t.product_id, p.name, t.units FROM top t JOIN products p ON p.id = t.product_id ORDER BY t.units DESC, 1
CREATE TEMP VIEW top_names AS SELECT p.name, t.units FROM top t JOIN products p ON p.id = t.product_id
SELECT * FROM top_names ORDER BY units DESC, name
SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'staging' ORDER BY ordinal_position
TRUNCATE staging
SELECT count(*) FROM staging
DROP TABLE staging
ROLLBACK

-- A copy of customers is as masked as they are.
BEGIN
CREATE TEMP TABLE norse ON COMMIT DROP AS SELECT id, name, city FROM customers WHERE country = 'NO'
SELECT count(*) FROM norse
SELECT n.id, n.name FROM norse n ORDER BY n.id LIMIT 3
-- masks: email
SELECT n.id, c.email FROM norse n JOIN customers c ON c.id = n.id ORDER BY n.id LIMIT 3
ROLLBACK

-- Cursors.
BEGIN
DECLARE c CURSOR FOR SELECT id, name FROM products ORDER BY id
FETCH 3 FROM c
MOVE 2 IN c
FETCH NEXT FROM c
FETCH BACKWARD 1 FROM c
CLOSE c
DECLARE people SCROLL CURSOR FOR SELECT id, email FROM customers ORDER BY id
-- masks: email
FETCH 3 FROM people
-- masks: email
FETCH LAST FROM people
CLOSE ALL
ROLLBACK

-- Prepared statements of SQL's own.
PREPARE one (int) AS SELECT id, name, city FROM customers WHERE id = $1
EXECUTE one (5)
EXECUTE one (6)
PREPARE mails (text) AS SELECT id, email FROM customers WHERE city = $1 ORDER BY id LIMIT 3
-- masks: email
EXECUTE mails ('Oslo')
PREPARE ins (int, text) AS INSERT INTO regions VALUES ($1, $2) RETURNING id
BEGIN
EXECUTE ins (7, 'Seven')
ROLLBACK
DEALLOCATE one
DEALLOCATE ALL

-- A migration.
BEGIN
SET LOCAL lock_timeout = '2s'
SELECT pg_advisory_xact_lock(4711)
CREATE TABLE schema_version (version int PRIMARY KEY, applied timestamptz DEFAULT '2026-01-01Z')
INSERT INTO schema_version VALUES (1)
CREATE TYPE ticket_state AS ENUM ('open', 'closed')
CREATE TABLE tickets (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, customer_id int NOT NULL REFERENCES customers (id), state ticket_state NOT NULL DEFAULT 'open', title varchar(200), opened timestamptz NOT NULL DEFAULT '2026-01-01Z', tags text[] NOT NULL DEFAULT '{}')
CREATE INDEX tickets_open ON tickets (customer_id) WHERE state = 'open'
COMMENT ON TABLE tickets IS 'What customers ask'
INSERT INTO tickets (customer_id, title) SELECT id, 'Hello ' || id FROM customers WHERE id <= 5 ORDER BY id RETURNING id, title, state
SELECT t.id, c.name, t.title FROM tickets t JOIN customers c ON c.id = t.customer_id ORDER BY t.id
-- masks: email
SELECT t.id, c.email, t.title FROM tickets t JOIN customers c ON c.id = t.customer_id ORDER BY t.id
ALTER TABLE tickets ADD COLUMN priority smallint NOT NULL DEFAULT 3, ADD CONSTRAINT priority_range CHECK (priority BETWEEN 1 AND 5)
ALTER TABLE tickets RENAME COLUMN title TO subject
SELECT id, subject, priority FROM tickets ORDER BY id LIMIT 2
CREATE VIEW open_tickets AS SELECT t.id, t.subject, c.name FROM tickets t JOIN customers c ON c.id = t.customer_id WHERE t.state = 'open'
SELECT * FROM open_tickets ORDER BY id LIMIT 2
CREATE MATERIALIZED VIEW ticket_stats AS SELECT state, count(*) AS n FROM tickets GROUP BY state
SELECT * FROM ticket_stats
REFRESH MATERIALIZED VIEW ticket_stats
DROP VIEW open_tickets
ALTER TABLE tickets ALTER COLUMN subject TYPE text, ALTER COLUMN subject SET NOT NULL
DROP MATERIALIZED VIEW ticket_stats
DROP TABLE tickets
ROLLBACK

-- A table with masked columns is changed by those who see them.
BEGIN
ALTER TABLE customers ADD COLUMN newsletter boolean NOT NULL DEFAULT false
ROLLBACK
BEGIN
CREATE INDEX customers_city ON customers (city, name)
ROLLBACK
BEGIN
CREATE VIEW mails AS SELECT id, email FROM customers
ROLLBACK
BEGIN
CREATE FUNCTION order_count(c int) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM orders WHERE customer_id = c'
ROLLBACK

-- What is asked of plans.
EXPLAIN (COSTS OFF) SELECT * FROM orders WHERE id = 5
EXPLAIN (COSTS OFF) SELECT o.id, c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.store_id = 2
EXPLAIN (COSTS OFF) UPDATE orders SET note = 'x' WHERE id = 1
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT count(*) FROM orders WHERE store_id = 2
EXPLAIN (COSTS OFF, FORMAT JSON) SELECT store_id, sum(quantity) FROM inventory GROUP BY 1

-- What goes out by COPY.
COPY regions TO STDOUT
COPY (SELECT id, name, city FROM customers ORDER BY id LIMIT 3) TO STDOUT WITH (FORMAT csv, HEADER)
COPY stores (id, name) TO STDOUT WITH (FORMAT binary)
COPY (SELECT store_id, count(*) FROM orders GROUP BY 1 ORDER BY 1) TO STDOUT WITH CSV DELIMITER ';'

-- Settings and talk.
SET statement_timeout = '30s'
SHOW statement_timeout
SET TIME ZONE 'Europe/Berlin'
SELECT placed FROM orders ORDER BY id LIMIT 1
SET search_path TO public
SHOW search_path
SELECT current_setting('search_path'), current_schema(), current_database()
SET application_name = 'worker 7'
SET datestyle = 'ISO, DMY'
SELECT '02/03/2026'::date
SET work_mem = '8MB'
SET LOCAL work_mem = '8MB'
BEGIN READ ONLY
SELECT count(*) FROM stores
INSERT INTO regions VALUES (9, 'x')
ROLLBACK
SELECT set_config('app.tenant', '5', false)
SELECT current_setting('app.tenant', true)
SELECT pg_try_advisory_lock(42), pg_advisory_unlock(42)
LISTEN news
UNLISTEN *
SET enable_seqscan = off
RESET ALL
DISCARD ALL

-- A tenant is told by a setting, which row policies go by.
BEGIN
CREATE TABLE notes (id int, tenant int, body text)
INSERT INTO notes SELECT g, g % 3, 'note ' || g FROM generate_series(1, 9) g
ALTER TABLE notes ENABLE ROW LEVEL SECURITY
ALTER TABLE notes FORCE ROW LEVEL SECURITY
CREATE POLICY own ON notes USING (tenant = current_setting('app.tenant')::int)
SET LOCAL app.tenant = '1'
SELECT * FROM notes ORDER BY id
SELECT set_config('app.tenant', '2', true)
SELECT count(*), min(body) FROM notes
UPDATE notes SET body = 'changed' WHERE id = 2 RETURNING id, tenant
INSERT INTO notes VALUES (20, 1, 'of another')
ROLLBACK

-- Whoever looks after a database.
VACUUM regions
ANALYZE stores
BEGIN
LOCK TABLE regions IN SHARE MODE
CREATE SEQUENCE tickets_seq START 10
SELECT nextval('tickets_seq'), currval('tickets_seq')
ALTER SEQUENCE tickets_seq RESTART WITH 5
SELECT nextval('tickets_seq')
SELECT setval('tickets_seq', 100)
CREATE SCHEMA reports
CREATE TABLE reports.daily AS SELECT placed::date AS day, count(*) AS n FROM orders GROUP BY 1
SELECT * FROM reports.daily ORDER BY day LIMIT 3
SELECT count(*) FROM reports.daily
SELECT count(*) FROM orders
DROP SCHEMA reports CASCADE
ROLLBACK

-- Of an application's queue.
BEGIN
SELECT id FROM orders WHERE status = 'new' ORDER BY placed LIMIT 1 FOR UPDATE SKIP LOCKED
UPDATE orders SET status = 'paid' WHERE id = (SELECT id FROM orders WHERE status = 'new' ORDER BY placed LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id, status
DELETE FROM shifts WHERE ctid IN (SELECT ctid FROM shifts ORDER BY employee_id, during LIMIT 2) RETURNING employee_id
UPDATE customers SET prefs = jsonb_set(prefs, '{language}', '"no"') WHERE id = 5 RETURNING prefs
UPDATE customers SET tags = array_append(tags, 'vip'), attrs = attrs || 'tier=>8' WHERE id = 5 RETURNING tags, attrs->'tier'
UPDATE products SET (price, weight) = (price * 1.1, weight + 1) WHERE id = 3 RETURNING price, weight
UPDATE products SET size.width = 99 WHERE id = 3 RETURNING (size).width
UPDATE products SET price = round(price * 1.05, 2) WHERE category_id = 2 RETURNING id, price
INSERT INTO events (at, customer_id, kind, payload, ip) VALUES ('2026-03-01Z', 5, 'view', '{"page": 1}', '10.1.1.1') RETURNING at, kind
UPDATE vip_customers SET discount = 15 WHERE id = 101 RETURNING id, discount
INSERT INTO contacts (id, name, city) VALUES (9002, 'By view', 'Rome') RETURNING id, name
UPDATE german_contacts SET name = 'Renamed' WHERE id = 4 RETURNING id, name
ROLLBACK

-- What may not be there, and what is misspelt.
DROP TABLE IF EXISTS staging_of_before
ALTER TABLE IF EXISTS nothing_such ADD COLUMN x int
BEGIN
DROP TABLE IF EXISTS staging
CREATE TEMP TABLE staging (id int)
DROP TABLE IF EXISTS staging
DROP VIEW IF EXISTS nothing_such
DROP SCHEMA IF EXISTS nowhere CASCADE
DROP INDEX IF EXISTS nothing_idx
DROP TYPE IF EXISTS nothing_type
CREATE TABLE IF NOT EXISTS regions (id int)
CREATE SCHEMA IF NOT EXISTS public
ROLLBACK
DROP TABLE nothing_such
SELECT c.nope FROM customers c
SELECT nope FROM customers
SELECT * FROM custmers
SELECT c.nope, c.name FROM customers c JOIN orders o ON o.customer_id = c.id
SELECT s.nope FROM stores s
UPDATE customers SET nope = 1 WHERE id = 1
INSERT INTO customers (id, nope) VALUES (1, 2)
SELECT nope(id) FROM customers
SELECT name FROM customers WHERE nope = 1
SELECT count(*) FROM customers GROUP BY nope
SELECT id FROM customers ORDER BY nope
