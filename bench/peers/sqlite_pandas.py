"""pandas DataFrame.to_sql into SQLite. usage: sqlite_pandas.py SOURCE OUT TABLE [INDEX...]"""
import decimal
import sqlite3
import sys

import pandas as pd

from sqlite_indexes import create_indexes

source, out, table = sys.argv[1:4]
frame = pd.read_parquet(source)
for name in frame.columns:
    # sqlite3 cannot bind Decimal; float is the usual advice and exact enough for two decimals.
    if len(frame) and isinstance(frame[name].iloc[0], decimal.Decimal):
        frame[name] = frame[name].astype("float64")
connection = sqlite3.connect(out)
frame.to_sql(table, connection, index=False)
connection.commit()
connection.close()
create_indexes(out, table, sys.argv[4:])
