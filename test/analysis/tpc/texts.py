"""Prints the tables and queries of a TPC benchmark as JSON, as DuckDB's extensions bring them.

texts.py FOLDER NAME: the folder holds the packages duckdb and duckdb-extension-NAME.
"""

import glob
import json
import sys

folder, name = sys.argv[1:]
sys.path.insert(0, folder)
import duckdb  # noqa: E402  from that folder

(extension,) = glob.glob(f"{folder}/duckdb_extension_{name}/extensions/*/{name}.duckdb_extension")
database = duckdb.connect(":memory:", config={"allow_unsigned_extensions": "true"})
database.execute(f"LOAD '{extension}'")
database.execute(f"CALL {'dbgen' if name == 'tpch' else 'dsdgen'}(sf = 0)")
tables = [row[0] for row in database.execute("SELECT sql FROM duckdb_tables()").fetchall()]
queries = [row[0] for row in database.execute(f"SELECT query FROM {name}_queries() ORDER BY query_nr").fetchall()]
print(json.dumps({"tables": tables, "queries": queries}))
