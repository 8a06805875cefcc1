"""load() and plan(): a source, a target, and the thread between them."""
from __future__ import annotations

import datetime
import logging
import os
import threading
from typing import Any, Dict, Iterable, Mapping, Optional, Tuple, Union

from . import _native
from ._conninfo import target_of
from ._errors import UsageError, error_from
from ._native import CancelToken, Progress
from ._progress import Shown, Silent, shown
from ._report import Plan, Report
from ._sources import Rows, failed, rows_of

logger = logging.getLogger("headrace")
logger.addHandler(logging.NullHandler())

Target = Union[str, "os.PathLike[str]", Mapping[str, Any]]

# Options that are lists of column names; a comma inside one needs quotes on a command line.
_NAMES = ("key", "update_columns", "columns")
_TICK = 0.1  # seconds between two looks at a running load
_PATIENCE = 10.0  # seconds that an interrupted load may take to end


def _quoted_name(name: str) -> str:
    return f'"{name}"' if "," in name else name


def _option_value(name: str, value: Any) -> Any:
    if isinstance(value, datetime.timedelta):
        return f"{max(1, round(value.total_seconds() * 1000))}ms"
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_quoted_name(v) if name in _NAMES else v for v in map(str, value)]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise UsageError(f"{name} is a {type(value).__name__}", hint="give a string, a number, a bool or a list of strings")


def request_of(to: str, options: Dict[str, Any]) -> Dict[str, Any]:
    """The request of the C interface: options by the names of the command line."""
    return {"to": to, **{name: _option_value(name, value) for name, value in options.items()}}


class _Run:
    """One load in a thread of its own, so that this one stays free for Ctrl-C, for the progress and for the source."""

    def __init__(self, request: Dict[str, Any], rows: Rows, progress: Silent, cancel: CancelToken) -> None:
        self._request = request
        self._rows = rows
        self._progress = progress
        self._cancel = cancel
        self._latest: Optional[Progress] = None
        self._done = threading.Event()
        self._result: Optional[Tuple[int, Dict[str, Any]]] = None
        self._failure: Optional[BaseException] = None

    def _work(self) -> None:
        try:
            self._result = _native.run("load", self._request, self._rows.open().__arrow_c_stream__(), log=logger.info,
                                       progress=self._told, cancel=self._cancel)
        except BaseException as error:  # it is raised in the other thread
            self._failure = error
        finally:
            self._done.set()

    def _told(self, now: Progress) -> None:
        self._latest = now

    def _tick(self) -> None:
        now, self._latest = self._latest, None
        if now is not None:
            self._progress.update(now)

    def run(self) -> Dict[str, Any]:
        """The report. What interrupts this thread cancels the load, and is raised when the load has ended."""
        feed = self._rows.feed
        threading.Thread(target=self._work, name="headrace-load", daemon=True).start()
        try:
            if feed is not None:
                feed.pump(self._done, self._tick)
            while not self._done.wait(_TICK):
                self._tick()
        except BaseException:
            self._cancel.cancel()
            if feed is not None:
                feed.stop()
            self._done.wait(_PATIENCE)
            if self._result is not None and self._result[1].get("status") == "ok":
                logger.warning("the load was interrupted when it was already committed")
            raise
        finally:
            if feed is not None:
                feed.stop()
            self._progress.close()
        if self._failure is not None:
            raise self._failure
        assert self._result is not None
        return self._result[1]


def _finish(raw: Dict[str, Any], rows: Rows) -> Report:
    raw["warnings"] = rows.warnings + raw["warnings"]
    report = Report(raw)
    for warning in report.warnings:
        logger.warning("%s", warning)
    if "error" not in raw:
        return report
    if rows.failure is not None and raw["status"] != "cancelled":
        error = failed(rows.failure)
        error.report = report
        if error is rows.failure:
            raise error
        raise error from rows.failure
    raise error_from(raw["error"], report)


def _named(request: Dict[str, Any], rows: Rows, table: Optional[str]) -> Dict[str, Any]:
    named: Dict[str, Any] = {"source_rows": rows.count, **request}
    if table is not None:
        named["table"] = table
    if rows.name is not None:
        named["source"] = [rows.name]
    return named


def load(source: Any, to: Target, table: Optional[str] = None, mode: str = "create", method: str = "auto", *,
         key: Union[None, str, Iterable[str]] = None, schema: Any = None, index: Optional[bool] = None,
         progress: Shown = None, cancel: Optional[CancelToken] = None, **options: Any) -> Report:
    """Loads rows into a table: all of them, unchanged, or none.

    source    path or list of paths (Parquet, Arrow, CSV; folders, globs, Hive layout), file:// URI; pyarrow Table,
              RecordBatch, RecordBatchReader, Dataset; pandas, geopandas, polars (eager and lazy), duckdb relation;
              whatever has __arrow_c_stream__ or __arrow_c_array__; an iterable of record batches or frames, which is
              read in this thread, batch by batch, and never collected
    to        "postgresql://...", a libpq keyword string, a dict of connection parameters; "sqlite:PATH" or a path
              ending in .sqlite, .sqlite3, .db; "pgcopy:FILE"; "null:"
    table     "t" or "schema.t"; of one file its name is the default
    mode      create, append, replace, truncate, upsert, delete_insert
    method    auto; PostgreSQL: copy, optimized, async, standard; SQLite: pages, api
    key       upsert: columns of the key; otherwise the primary key
    schema    a pyarrow.Schema with the types of columns that values alone do not tell
    index     pandas: True loads the index as columns, False does not; None: if it has a name
    progress  True, a function of a Progress, "terminal", "notebook" or "lines"; nothing is printed otherwise
    cancel    a CancelToken, for other threads
    options   as on the command line, with underscores: connections (0: planned), batch_size (rows), memory (bytes, or
              "512MiB"), load_id, retries, lock_timeout ("5s" or a timedelta), replace_where, update_columns,
              on_duplicate, nan_as_null, srid, promote_to_multi, no_analyze, ... (`headrace load --help`)

    Returns the Report. Raises a HeadraceError of the class that says what failed, with the report; the target is then
    as it was. An exception of the source's own is the __cause__ of a SourceError. Ctrl-C stops the load within about
    a second and raises KeyboardInterrupt. Rows are read once, so a load of a source that is gone after reading is not
    retried. Thread-safe.
    """
    display = shown(progress)
    with target_of(to) as target:
        rows = rows_of(source, schema, index, options)
        request = request_of(target, {"mode": mode, "method": method, "key": key, **options})
        run = _Run(_named(request, rows, table), rows, display, cancel or CancelToken())
        return _finish(run.run(), rows)


def _discard(source: Any, to: Target, table: str, method: str, options: Dict[str, Any]) -> Report:
    """A load in mode append whose rows are thrown away before the commit: for benchmarks."""
    with target_of(to) as target:
        rows = rows_of(source)
        request = request_of(target, {"mode": "append", "method": method, **options})
        return _finish(_Run({**_named(request, rows, table), "discard": True}, rows, Silent(), CancelToken()).run(), rows)


def plan(source: Any, to: Target, table: Optional[str] = None, mode: str = "create", method: str = "auto", *,
         key: Union[None, str, Iterable[str]] = None, schema: Any = None, index: Optional[bool] = None,
         **options: Any) -> Plan:
    """What load() with the same arguments would do, and why: mapping, DDL, method, every choice. Writes nothing.

    Rows of the source are not read, but for the first item of an iterable, which it then has given.
    """
    with target_of(to) as target:
        rows = rows_of(source, schema, index, options)
        request = request_of(target, {"mode": mode, "method": method, "key": key, **options})
        _, raw = _native.run("plan", _named(request, rows, table), rows.open_empty().__arrow_c_stream__())
    if "error" in raw:
        raise error_from(raw["error"])
    raw["warnings"] = rows.warnings + raw["warnings"]
    return Plan(raw)
