"""Prints TPC-H as JSON: the tables with rows for psql, and the queries, as DuckDB's extension makes them.

tpch.py FOLDER: the folder holds the packages duckdb and duckdb-extension-tpch.
"""

import glob
import json
import os
import sys
import tempfile

sys.path.insert(0, sys.argv[1])
import duckdb  # noqa: E402  from that folder

KEYS = ["lineitem (l_orderkey)", "lineitem (l_partkey, l_suppkey)", "orders (o_orderkey)", "orders (o_custkey)", "partsupp (ps_partkey, ps_suppkey)"]

(extension,) = glob.glob(f"{sys.argv[1]}/duckdb_extension_tpch/extensions/*/tpch.duckdb_extension")
database = duckdb.connect(":memory:", config={"allow_unsigned_extensions": "true"})
database.execute(f"LOAD '{extension}'")
database.execute("CALL dbgen(sf = 0.01)")
script = []
with tempfile.TemporaryDirectory() as folder:
    for name, create in database.execute("SELECT table_name, sql FROM duckdb_tables()").fetchall():
        path = os.path.join(folder, name)
        database.execute(f"COPY {name} TO '{path}' (FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE '')")
        script += [create, f"COPY {name} FROM STDIN;", open(path).read() + "\\."]
script += [f"CREATE INDEX ON {key};" for key in KEYS] + ["GRANT SELECT ON ALL TABLES IN SCHEMA public TO hoop;", "ANALYZE;"]
queries = [row[0] for row in database.execute("SELECT query FROM tpch_queries() ORDER BY query_nr").fetchall()]
print(json.dumps({"schema": "\n".join(script), "queries": queries}))
