-- What Grafana asks of a server for its query editor and its panels, after its PostgreSQL data source; written anew.
SELECT current_setting('server_version_num')::int / 100 AS version;
SELECT extversion FROM pg_extension WHERE extname = 'timescaledb';
SELECT schema_name AS "name" FROM information_schema.schemata
  WHERE schema_name NOT IN ('information_schema', 'pg_catalog', 'pg_toast', '_timescaledb_cache', '_timescaledb_config', 'timescaledb_information') ORDER BY schema_name;
SELECT quote_ident(table_name) AS "table" FROM information_schema.tables WHERE quote_ident(table_schema) = 'public' ORDER BY 1;
SELECT CASE WHEN quote_ident(table_schema) IN (SELECT CASE WHEN trim(part[at]) = '"$user"' THEN user ELSE trim(part[at]) END
      FROM generate_series(array_lower(string_to_array(current_setting('search_path'), ','), 1), array_upper(string_to_array(current_setting('search_path'), ','), 1)) AS at,
      string_to_array(current_setting('search_path'), ',') part)
    THEN quote_ident(table_name) ELSE quote_ident(table_schema) || '.' || quote_ident(table_name) END AS "table" FROM information_schema.tables
  WHERE quote_ident(table_schema) NOT IN ('information_schema', 'pg_catalog', '_timescaledb_cache')
  ORDER BY CASE WHEN quote_ident(table_schema) IN (SELECT CASE WHEN trim(part[at]) = '"$user"' THEN user ELSE trim(part[at]) END
      FROM generate_series(array_lower(string_to_array(current_setting('search_path'), ','), 1), array_upper(string_to_array(current_setting('search_path'), ','), 1)) AS at,
      string_to_array(current_setting('search_path'), ',') part) THEN 0 ELSE 1 END, 1;
SELECT quote_ident(column_name) AS "column", data_type AS "type" FROM information_schema.columns
  WHERE CASE WHEN array_length(parse_ident('public.customers'), 1) = 2
    THEN quote_ident(table_schema) = (parse_ident('public.customers'))[1] AND quote_ident(table_name) = (parse_ident('public.customers'))[2]
    ELSE quote_ident(table_name) = 'public.customers' AND quote_ident(table_schema) IN (SELECT CASE WHEN trim(part[at]) = '"$user"' THEN user ELSE trim(part[at]) END
      FROM generate_series(array_lower(string_to_array(current_setting('search_path'), ','), 1), array_upper(string_to_array(current_setting('search_path'), ','), 1)) AS at,
      string_to_array(current_setting('search_path'), ',') part) END;
SELECT column_name FROM information_schema.columns WHERE table_name = 'customers' AND data_type IN ('timestamp without time zone', 'bigint', 'double precision') LIMIT 1;
SELECT floor(extract(epoch from at) / 300) * 300 AS "time", sum(total) AS "value" FROM (SELECT now() AS at, total FROM orders) metric
  WHERE at BETWEEN '2026-01-01T00:00:00Z' AND '2026-01-01T06:00:00Z' GROUP BY 1 ORDER BY 1;
SELECT extract(epoch from now()) AS "time", 1000 * floor(1700000000 / 60) AS slot, coalesce(avg(total), 0) AS value, customer::text AS metric FROM orders
  WHERE extract(epoch from now()) >= 1700000000 AND extract(epoch from now()) <= 1700003600 GROUP BY customer, 1 ORDER BY 1, 2;
SELECT time_bucket, avg(v) OVER (ROWS 5 PRECEDING), v - lag(v) OVER (ORDER BY time_bucket) AS rate,
  (CASE WHEN v >= lag(v) OVER (ORDER BY time_bucket) THEN v - lag(v) OVER (ORDER BY time_bucket) WHEN lag(v) OVER (ORDER BY time_bucket) IS NULL THEN NULL ELSE v END) AS increase
  FROM (SELECT date_trunc('hour', now()) AS time_bucket, sum(total) AS v FROM orders GROUP BY 1) buckets;
SELECT DISTINCT name AS __text, id AS __value FROM customers WHERE name ~* '^a' ORDER BY 1;
SELECT 1;
