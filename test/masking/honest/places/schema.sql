-- Where shops and their customers are, by PostGIS. What is masked in it, `places.ts` says.
SET client_min_messages = error;
CREATE EXTENSION postgis;
CREATE TABLE districts (id int PRIMARY KEY, name text, area geometry(Polygon, 4326));
CREATE TABLE shops (id int PRIMARY KEY, name text, place geometry(Point, 4326), ground geography(Point, 4326));
CREATE TABLE people (id int PRIMARY KEY, name text, shop_id int REFERENCES shops, home geometry(Point, 4326));
CREATE TABLE trips (id int PRIMARY KEY, person_id int, track geometry(LineString, 4326));
INSERT INTO districts SELECT n, 'District ' || n, ST_MakeEnvelope(n, n, n + 2, n + 2, 4326) FROM generate_series(1, 6) n;
INSERT INTO shops SELECT n, 'Shop ' || n, ST_SetSRID(ST_MakePoint(n * 0.7, n * 0.9), 4326), ST_SetSRID(ST_MakePoint(n * 0.7, n * 0.9), 4326)::geography FROM generate_series(1, 12) n;
INSERT INTO people SELECT n, 'Person ' || n, 1 + n % 12, ST_SetSRID(ST_MakePoint(n * 0.31, n * 0.17), 4326) FROM generate_series(1, 40) n;
INSERT INTO trips SELECT n, n, ST_SetSRID(ST_MakeLine(ST_MakePoint(n, n), ST_MakePoint(n + 1, n + 2)), 4326) FROM generate_series(1, 20) n;
CREATE INDEX ON shops USING gist (place);
CREATE VIEW shop_districts AS SELECT s.id, s.name, d.name AS district FROM shops s JOIN districts d ON ST_Within(s.place, d.area);
CREATE VIEW addresses AS SELECT id, name, home FROM people;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO hoop;
ANALYZE;
