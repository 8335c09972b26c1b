-- What Metabase asks of a server when it syncs and when its questions are run, after its PostgreSQL driver; written anew.
SELECT nspname, typname FROM pg_type kind JOIN pg_namespace place ON place.oid = kind.typnamespace
  WHERE kind.oid IN (SELECT DISTINCT enumtypid FROM pg_enum label);
SELECT "place"."nspname" AS "schema", "rel"."relname" AS "name", CASE "rel"."relkind" WHEN 'r' THEN 'TABLE' WHEN 'p' THEN 'PARTITIONED TABLE'
    WHEN 'v' THEN 'VIEW' WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE NULL END AS "type",
  "note"."description" AS "description", "stat"."n_live_tup" AS "estimated_row_count"
  FROM "pg_catalog"."pg_class" AS "rel" INNER JOIN "pg_catalog"."pg_namespace" AS "place" ON "rel"."relnamespace" = "place"."oid"
  LEFT JOIN "pg_catalog"."pg_description" AS "note" ON ("rel"."oid" = "note"."objoid") AND ("note"."objsubid" = $1) AND ("note"."classoid" = 'pg_class'::regclass)
  LEFT JOIN "pg_stat_user_tables" AS "stat" ON ("place"."nspname" = "stat"."schemaname") AND ("rel"."relname" = "stat"."relname")
  WHERE ("rel"."relnamespace" = "place"."oid") AND ("place"."nspname" !~ $2) AND ("place"."nspname" <> $3) AND rel.relkind in ('r', 'p', 'v', 'f', 'm')
  AND ("place"."nspname" IN ($4, $5)) ORDER BY "type" ASC, "schema" ASC, "name" ASC;
SELECT "c"."column_name" AS "name", CASE WHEN "c"."udt_schema" IN ('public', 'pg_catalog') THEN FORMAT('%s', "c"."udt_name")
    ELSE FORMAT('"%s"."%s"', "c"."udt_schema", "c"."udt_name") END AS "database-type", "c"."ordinal_position" - 1 AS "database-position",
  "c"."table_schema" AS "table-schema", "c"."table_name" AS "table-name", "pk"."column_name" IS NOT NULL AS "pk?",
  COL_DESCRIPTION(CAST(CAST(FORMAT('%I.%I', CAST("c"."table_schema" AS TEXT), CAST("c"."table_name" AS TEXT)) AS REGCLASS) AS OID), "c"."ordinal_position") AS "field-comment",
  (("column_default" IS NULL) OR (LOWER("column_default") = 'null')) AND ("is_nullable" = 'NO')
    AND NOT ((("column_default" IS NOT NULL) AND ("column_default" LIKE '%nextval(%')) OR ("is_identity" <> 'NO')) AS "database-required",
  (("column_default" IS NOT NULL) AND ("column_default" LIKE '%nextval(%')) OR ("is_identity" <> 'NO') AS "database-is-auto-increment"
  FROM "information_schema"."columns" AS "c" LEFT JOIN (SELECT "tc"."table_schema", "tc"."table_name", "kc"."column_name"
    FROM "information_schema"."table_constraints" AS "tc" INNER JOIN "information_schema"."key_column_usage" AS "kc"
    ON ("tc"."constraint_name" = "kc"."constraint_name") AND ("tc"."table_schema" = "kc"."table_schema") AND ("tc"."table_name" = "kc"."table_name")
    WHERE "tc"."constraint_type" = 'PRIMARY KEY') AS "pk"
  ON ("c"."table_schema" = "pk"."table_schema") AND ("c"."table_name" = "pk"."table_name") AND ("c"."column_name" = "pk"."column_name")
  WHERE c.table_schema !~ '^information_schema|catalog_history|pg_' AND ("c"."table_schema" IN ($1))
  UNION ALL SELECT "pa"."attname" AS "name", CASE WHEN "ptn"."nspname" IN ('public', 'pg_catalog') THEN FORMAT('%s', "pt"."typname")
    ELSE FORMAT('"%s"."%s"', "ptn"."nspname", "pt"."typname") END AS "database-type", "pa"."attnum" - 1 AS "database-position",
  "pn"."nspname" AS "table-schema", "pc"."relname" AS "table-name", FALSE AS "pk?", NULL AS "field-comment", FALSE AS "database-required",
  FALSE AS "database-is-auto-increment" FROM "pg_catalog"."pg_class" AS "pc" INNER JOIN "pg_catalog"."pg_namespace" AS "pn" ON "pn"."oid" = "pc"."relnamespace"
  INNER JOIN "pg_catalog"."pg_attribute" AS "pa" ON "pa"."attrelid" = "pc"."oid" INNER JOIN "pg_catalog"."pg_type" AS "pt" ON "pt"."oid" = "pa"."atttypid"
  INNER JOIN "pg_catalog"."pg_namespace" AS "ptn" ON "ptn"."oid" = "pt"."typnamespace" WHERE ("pc"."relkind" = 'm') AND ("pa"."attnum" >= 1)
  ORDER BY "table-schema" ASC, "table-name" ASC, "database-position" ASC;
SELECT "from_ns"."nspname" AS "fk-table-schema", "from_table"."relname" AS "fk-table-name", "from_column"."attname" AS "fk-column-name",
  "to_ns"."nspname" AS "pk-table-schema", "to_table"."relname" AS "pk-table-name", "to_column"."attname" AS "pk-column-name" FROM "pg_constraint" AS "con"
  INNER JOIN "pg_class" AS "from_table" ON "con"."conrelid" = "from_table"."oid" INNER JOIN "pg_namespace" AS "from_ns" ON "con"."connamespace" = "from_ns"."oid"
  INNER JOIN "pg_attribute" AS "from_column" ON "con"."conrelid" = "from_column"."attrelid" INNER JOIN "pg_class" AS "to_table" ON "con"."confrelid" = "to_table"."oid"
  INNER JOIN "pg_namespace" AS "to_ns" ON "to_table"."relnamespace" = "to_ns"."oid" INNER JOIN "pg_attribute" AS "to_column" ON "con"."confrelid" = "to_column"."attrelid"
  WHERE from_ns.nspname !~ '^information_schema|catalog_history|pg_' AND ("con"."contype" = 'f'::char) AND ("from_column"."attnum" = ANY(con.conkey))
  AND ("to_column"."attnum" = ANY(con.confkey)) AND ("from_table"."relname" IN ($1)) ORDER BY "fk-table-schema" ASC, "fk-table-name" ASC;
SELECT "tmp"."table-schema", "tmp"."table-name", TRIM(BOTH '"' FROM PG_CATALOG.PG_GET_INDEXDEF("tmp"."ci_oid", "tmp"."pos", FALSE)) AS "field-name"
  FROM (SELECT "n"."nspname" AS "table-schema", "ct"."relname" AS "table-name", "ci"."oid" AS "ci_oid", (INFORMATION_SCHEMA._PG_EXPANDARRAY("i"."indkey")).n AS "pos"
    FROM "pg_catalog"."pg_class" AS "ct" INNER JOIN "pg_catalog"."pg_namespace" AS "n" ON "ct"."relnamespace" = "n"."oid"
    INNER JOIN "pg_catalog"."pg_index" AS "i" ON "ct"."oid" = "i"."indrelid" INNER JOIN "pg_catalog"."pg_class" AS "ci" ON "ci"."oid" = "i"."indexrelid"
    WHERE (PG_CATALOG.PG_GET_EXPR("i"."indpred", "i"."indrelid") IS NULL) AND n.nspname !~ '^information_schema|catalog_history|pg_') AS "tmp" WHERE "tmp"."pos" = 1;
WITH rights AS (SELECT NULL AS role, t.place AS schema, t.name AS table,
    pg_catalog.has_any_column_privilege(current_user, '"' || replace(t.place, '"', '""') || '"' || '.' || '"' || replace(t.name, '"', '""') || '"', 'update') AS update,
    pg_catalog.has_any_column_privilege(current_user, '"' || replace(t.place, '"', '""') || '"' || '.' || '"' || replace(t.name, '"', '""') || '"', 'select') AS select,
    pg_catalog.has_table_privilege(current_user, '"' || replace(t.place, '"', '""') || '"' || '.' || '"' || replace(t.name, '"', '""') || '"', 'delete') AS delete
    FROM (SELECT schemaname AS place, tablename AS name FROM pg_catalog.pg_tables UNION SELECT schemaname, viewname FROM pg_catalog.pg_views
      UNION SELECT schemaname, matviewname FROM pg_catalog.pg_matviews) t
    WHERE t.place !~ '^pg_' AND t.place <> 'information_schema' AND pg_catalog.has_schema_privilege(current_user, t.place, 'usage')) SELECT t.* FROM rights t;
SELECT TRUE AS "_" FROM "public"."customers" WHERE 1 <> 1 LIMIT 0;
SELECT "public"."customers"."id" AS "id", SUBSTRING("public"."customers"."name", 1, 1234) AS "substring1" FROM "public"."customers" LIMIT 10000;
SELECT COUNT(*) AS "count", COUNT(DISTINCT "public"."customers"."name") AS "distinct" FROM "public"."customers";
SELECT DATE_TRUNC('month', CAST("source"."at" AS timestamp)) AS "at", SUM("source"."total") AS "sum", COUNT(*) AS "count"
  FROM (SELECT now() AS "at", o."total" AS "total" FROM "public"."orders" o) AS "source"
  WHERE ("source"."at" >= DATE_TRUNC('month', (NOW() + (INTERVAL '-12 month')))) AND ("source"."at" < DATE_TRUNC('month', NOW()))
  GROUP BY DATE_TRUNC('month', CAST("source"."at" AS timestamp)) ORDER BY DATE_TRUNC('month', CAST("source"."at" AS timestamp)) ASC;
SELECT CAST(EXTRACT(dow FROM CAST(now() AS timestamp)) AS integer) + 1 AS "day", CAST((now() + (INTERVAL '3 month')) AS date) AS "quarter",
  ((CAST(EXTRACT(dow FROM now()) AS integer) + 6) % 7) AS "weekday", CAST(EXTRACT(year FROM AGE(DATE_TRUNC('day', now()), DATE_TRUNC('day', now()))) AS integer) AS "years",
  CAST(TRUNC(EXTRACT(epoch FROM now()) - EXTRACT(epoch FROM now())) AS integer) / 3600 AS "hours", TIMEZONE('UTC', TIMEZONE('Europe/Berlin', now()::timestamp)) AS "zone";
SELECT (CAST("public"."customers"."data" AS jsonb)#>> array['a', 'b']::text[])::decimal AS "data", COUNT(*) FROM "public"."customers" GROUP BY 1 ORDER BY 1 DESC;
SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY "public"."orders"."total") AS "median", STDDEV_POP("public"."orders"."total") AS "deviation",
  SUM(CASE WHEN "public"."orders"."total" > 10 THEN "public"."orders"."total" ELSE 0.0 END) AS "over", AVG(CAST("public"."orders"."total" AS DOUBLE PRECISION)) AS "mean"
  FROM "public"."orders" LEFT JOIN "public"."customers" AS "Customers - Customer" ON "public"."orders"."customer" = "Customers - Customer"."id"
  WHERE (LOWER("Customers - Customer"."name") LIKE '%ann%') OR ("Customers - Customer"."name" IS NULL);
SELECT SUM(COUNT(*)) OVER (ORDER BY "customers"."name" ASC ROWS UNBOUNDED PRECEDING) AS "cumulative", CASE WHEN 2 < 1 THEN '' ELSE SPLIT_PART("customers"."name", ' ', 2) END AS "part",
  substring("customers"."name" FROM '[a-z]+') AS "match" FROM "public"."customers" AS "customers" GROUP BY "customers"."name";
