"""Prints TPC-H or TPC-DS as JSON: the tables with rows for psql, and the queries, as DuckDB's extensions make them.

tpc.py FOLDER tpch | tpcds: the folder holds the packages duckdb, duckdb-extension-tpch and duckdb-extension-tpcds.
"""

import glob
import json
import os
import sys
import tempfile

folder, name = sys.argv[1:]
sys.path.insert(0, folder)
import duckdb  # noqa: E402  from that folder

MADE = {"tpch": "CALL dbgen(sf = 0.01)", "tpcds": "CALL dsdgen(sf = 0.01)"}
# Without these a few of the queries take minutes.
KEYS = {
    "tpch": ["lineitem (l_orderkey)", "lineitem (l_partkey, l_suppkey)", "orders (o_orderkey)", "orders (o_custkey)", "partsupp (ps_partkey, ps_suppkey)"],
    "tpcds": ["item (i_item_sk)", "date_dim (d_date_sk)", "customer (c_customer_sk)", "customer_address (ca_address_sk)"],
}

(extension,) = glob.glob(f"{folder}/duckdb_extension_{name}/extensions/*/{name}.duckdb_extension")
database = duckdb.connect(":memory:", config={"allow_unsigned_extensions": "true"})
database.execute(f"LOAD '{extension}'")
database.execute(MADE[name])
script = []
with tempfile.TemporaryDirectory() as directory:
    for table, create in database.execute("SELECT table_name, sql FROM duckdb_tables()").fetchall():
        path = os.path.join(directory, table)
        database.execute(f"COPY {table} TO '{path}' (FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE '', NULLSTR '\\N')")
        script += [create, f"COPY {table} FROM STDIN;", open(path).read() + "\\."]
script += [f"CREATE INDEX ON {key};" for key in KEYS[name]] + ["GRANT SELECT ON ALL TABLES IN SCHEMA public TO hoop;", "ANALYZE;"]
queries = [row[0] for row in database.execute(f"SELECT query FROM {name}_queries() ORDER BY query_nr").fetchall()]
print(json.dumps({"schema": "\n".join(script), "queries": queries}))
