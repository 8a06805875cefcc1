"""The functions of the writer's postgres_connectivity, with its signatures.

    from headrace.compat.postgres_connectivity import write_to_postgres

Every write is one load: all rows or none. docs/migrate_from_the_guide.md says what differs.
"""
from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

from .._errors import HeadraceError, UnsupportedError, UsageError
from .._load import _discard, load
from .._report import Report
from .._verbs import check, recommend

logger = logging.getLogger("headrace")

DEFAULT_TABLE = "entity"
SQLITE_FILE_ROWS = 500_000
_SQLITE_SUFFIXES = (".sqlite", ".sqlite3", ".db", ".gpkg")
_S3 = ("s3://", "s3a://", "s3n://")


def _connections(method: str, num_partitions: Optional[int], max_workers: Optional[int]) -> int:
    """Both say how many connections write; async is asked for by workers, the others by partitions."""
    first, second = (max_workers, num_partitions) if method == "async" else (num_partitions, max_workers)
    return first or second or 0


def _literal(text: str) -> str:
    if "\\" in text:
        return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
    return "'" + text.replace("'", "''") + "'"


def write_to_postgres(df: Any, *arguments: Any, dataset: Optional[str] = None,
                      conn_params: Any = None, method: Optional[str] = None, batch_size: Optional[int] = None,
                      num_partitions: Optional[int] = None, max_workers: Optional[int] = None,
                      temp_s3_bucket: Optional[str] = None, target_table: Optional[str] = None,
                      mode: Optional[str] = None, notes: Any = None, **options: Any) -> Report:
    """Writes a dataframe into a table, in one of two forms:

        write_to_postgres(df, conn_params, method="optimized", batch_size=None, num_partitions=None, ...)
        write_to_postgres(df, dataset, conn_params, ...)

    df              whatever headrace.load() takes
    dataset         second form: the rows of the table with this value in column "dataset" are replaced, in one
                    transaction
    conn_params     a dict: host, port, user or username, password, database, dbname, db_name or dbName, timeout (s),
                    ssl_context (True: the certificate is verified), or libpq's own words; or a connection string
    method          optimized (the default), standard, async, copy, auto
    batch_size      rows of an INSERT; None: by the number of rows
    num_partitions  connections that write; max_workers is the same, for async. None: planned
    temp_s3_bucket  not used: copy needs no bucket
    target_table    "t" or "schema.t"; None: entity
    mode            None: append, and in the second form delete_insert; see headrace.load()
    notes           ignored, so that a recommendation can be given as **recommendation
    options         further options of headrace.load()

    Returns the Report; raises HeadraceError. The table is made when it is missing.
    """
    if len(arguments) > 1 and isinstance(arguments[0], str) and _is_connection(arguments[1]):
        dataset, arguments = arguments[0], arguments[1:]
    elif arguments and isinstance(arguments[0], str) and conn_params is not None:
        dataset, arguments = arguments[0], arguments[1:]
    named = {"conn_params": conn_params, "method": method, "batch_size": batch_size, "num_partitions": num_partitions}
    if len(arguments) > len(named):
        raise TypeError(f"write_to_postgres() takes at most {len(named)} positional arguments after df and dataset")
    for name, value in zip(named, arguments):
        if named[name] is not None:
            raise TypeError(f"write_to_postgres() got two values for {name}")
        named[name] = value
    if named["conn_params"] is None:
        raise UsageError("conn_params is missing", hint="give a dict with host, port, user, password and database")
    how = named["method"] or "optimized"
    if temp_s3_bucket and how == "copy":
        logger.info("Method 'copy' sends the rows to the server itself: bucket %s is not needed", temp_s3_bucket)
    if dataset is not None:
        mode = mode or "delete_insert"
        if mode == "delete_insert":
            options.setdefault("replace_where", f"dataset = {_literal(dataset)}")
    return load(df, named["conn_params"], target_table or DEFAULT_TABLE, mode=mode or "append", method=how,
                batch_size=named["batch_size"] or 0,
                connections=_connections(how, named["num_partitions"], max_workers), **options)


def _is_connection(value: Any) -> bool:
    """A dict of parameters, or a connection string: no name of a method has such signs."""
    return not isinstance(value, str) or "://" in value or "=" in value


def _sqlite_file(path: str, table: str) -> str:
    if path.endswith(_SQLITE_SUFFIXES):
        return path
    os.makedirs(path, exist_ok=True)
    return str(Path(path) / f"{table}.sqlite")


def write_to_sqlite(df: Any, output_path: Any, method: str = "optimized", num_partitions: Optional[int] = None, *,
                    table_name: str = "data", max_records_per_file: int = SQLITE_FILE_ROWS, mode: str = "replace",
                    **options: Any) -> Report:
    """Writes a dataframe into SQLite.

    output_path           a file (.sqlite, .sqlite3, .db), or a folder, in which {table_name}.sqlite is made
    method                single_file, partitioned (several files), optimized: one file up to max_records_per_file rows
    num_partitions        partitioned: number of files
    table_name            the table in every file
    max_records_per_file  rows of a file
    mode                  replace: files that are there are replaced when the new ones are complete

    Returns the Report; its `files` says what was written. Raises HeadraceError, and leaves what was there.
    """
    path = os.fspath(output_path)
    if path.startswith(_S3):
        raise UnsupportedError("SQLite files on S3 are not written yet",
                               hint="write to a local path and upload the file")
    if method not in ("single_file", "partitioned", "optimized"):
        raise UsageError(f"method {method!r} is not known", hint="use single_file, optimized or partitioned")
    if method == "single_file":
        return load(df, "sqlite:" + _sqlite_file(path, table_name), table_name, mode=mode, layout="single_file", **options)
    if not path.endswith(_SQLITE_SUFFIXES):
        os.makedirs(path, exist_ok=True)
    sizes: Dict[str, Any] = {"max_records": max_records_per_file}
    if method == "optimized":
        sizes = {"optimized_rows": max_records_per_file}
    elif num_partitions:
        sizes = {"num_partitions": num_partitions}
    return load(df, f"sqlite:{path}", table_name, mode=mode, layout=method, **sizes, **options)


def get_performance_recommendations(row_count: int, available_memory_gb: float = 8) -> Dict[str, Any]:
    """method, batch_size (rows), num_partitions and notes for a number of rows: the published table.

    The result may be given as write_to_postgres(df, conn_params, **recommendation).
    """
    return recommend(row_count, available_memory_gb).to_dict()


def get_copy_protocol_recommendation(conn_params: Any = None, target_table: Optional[str] = None) -> Dict[str, Any]:
    """Whether method "copy" can be used, and why.

    Without conn_params, and without PGHOST or PGSERVICE in the environment, no server is looked at. Returns
    {"recommended": bool, "method": str or None, "reason": str, "requirements": [str], "findings": [dict]}.
    """
    if conn_params is None and not (os.environ.get("PGHOST") or os.environ.get("PGSERVICE")):
        return {"recommended": True, "method": "copy", "findings": [], "requirements": ["INSERT on the table"],
                "reason": "COPY goes from this client to any PostgreSQL server, without S3, extension or superuser; "
                          "give conn_params to have a server looked at"}
    readiness = check("postgresql://" if conn_params is None else conn_params, target_table)
    needed = [f.advice for f in readiness.findings if f.state == "error" and f.advice]
    return {"recommended": readiness.best_method == "copy", "method": readiness.best_method,
            "reason": readiness.reason, "requirements": needed, "findings": [f._asdict() for f in readiness.findings]}


def benchmark_postgres_writers(df: Any, conn_params: Any, test_methods: Optional[Sequence[str]] = None, *,
                               target_table: str = DEFAULT_TABLE, **options: Any) -> Dict[str, Dict[str, Any]]:
    """Methods against each other, with this dataframe and this server; prints a ranking.

    Rows travel as they would in mode append into target_table, and are thrown away before the commit: the table stays
    as it is, and is not made. Returns method -> {"success", "time" (s), "rows", "rows_per_second", "error"}, the
    fastest first.
    """
    if isinstance(test_methods, str):
        test_methods = [test_methods]
    if hasattr(df, "__next__") or type(df).__name__ == "RecordBatchReader":
        raise UsageError("the dataframe can be read only once, and each method needs its rows",
                         hint="give a frame, a table or a path")
    results: List[Dict[str, Any]] = []
    for method in test_methods or ("standard", "optimized", "copy"):
        try:
            report = _discard(df, conn_params, target_table, method, options)
        except HeadraceError as error:
            results.append({"method": method, "success": False, "time": None, "rows": 0, "rows_per_second": 0.0,
                            "error": str(error)})
            continue
        results.append({"method": method, "success": True, "time": report.seconds, "rows": report.rows_read,
                        "rows_per_second": report.rows_read / report.seconds if report.seconds else 0.0, "error": None})
    results.sort(key=lambda r: (not r["success"], r["time"] or 0.0))
    print("\n".join(ranking(results)))
    return {r.pop("method"): r for r in results}


def ranking(results: List[Mapping[str, Any]]) -> List[str]:
    """The lines of a ranking. `results`: the fastest first."""
    lines = ["Performance ranking (fastest to slowest):"]
    done = [r for r in results if r["success"]]
    lines += [f"{place}. {r['method'].upper()}: {r['time']:.1f}s ({r['rows_per_second']:,.0f} rows/sec)"
              for place, r in enumerate(done, 1)]
    lines += [f"-  {r['method'].upper()}: failed: {r['error']}" for r in results if not r["success"]]
    if len(done) > 1 and done[0]["time"] > 0:
        lines += ["", f"Performance improvement: {done[-1]['time'] / done[0]['time']:.1f}x faster"]
    return lines
