"""DuckDB with one of its extensions, taken from the wheel of the same version so that nothing is downloaded."""
import glob
import importlib
import os

import duckdb


def connect(extension):
    package = importlib.import_module(f"duckdb_extension_{extension}")
    pattern = os.path.join(os.path.dirname(package.__file__), "extensions", "*", "*.duckdb_extension")
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    connection.execute(f"LOAD '{glob.glob(pattern)[0]}'")
    return connection


def quoted(text):
    return "'" + text.replace("'", "''") + "'"
