"""pandas DataFrame.to_sql, multi-row INSERTs through psycopg2. usage: postgres_pandas.py SOURCE URI TABLE
psycopg (3) is no choice here: it refuses Decimal into numeric(15,2) in these statements."""
import sys

import pandas as pd
import sqlalchemy

source, uri, table = sys.argv[1:4]
engine = sqlalchemy.create_engine(uri.replace("postgresql://", "postgresql+psycopg2://", 1))
pd.read_parquet(source).to_sql(table, engine, if_exists="append", index=False, method="multi", chunksize=1000)
