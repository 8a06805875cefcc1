"""A reader beside a load: a cheap statement every 2 ms, each in a transaction of its own, until a line comes on stdin.
usage: reader.py URI TABLE. Says `ready` once its first 200 statements have run; at the end prints one JSON object."""
import json
import select
import sys
import time

import psycopg

PAUSE = 0.002
uri, table = sys.argv[1:3]
statement = f"SELECT 1 FROM {table} LIMIT 1"


def stopped():
    return bool(select.select([sys.stdin], [], [], PAUSE)[0])


def waited(connection):
    began = time.perf_counter()
    row = connection.execute(statement).fetchone()
    seconds = time.perf_counter() - began
    if row is None:
        raise SystemExit("the table was empty")
    return seconds


with psycopg.connect(uri, autocommit=True) as connection:
    idle = [waited(connection) for _ in range(200)]
    print("ready", flush=True)
    waits = []
    while not stopped():
        waits.append(waited(connection))
waits.sort()
print(json.dumps({"statements": len(waits), "longest": waits[-1], "p99": waits[int(len(waits) * 0.99)],
                  "idle_longest": max(idle), "cpu_seconds": time.process_time()}), flush=True)
