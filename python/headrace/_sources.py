"""Every kind of source as rows in Arrow: what it is told by looking, without importing what the user has not.

Rows.open() gives something with __arrow_c_stream__. The stream is read in a thread of the native library. What runs
Python code of the user's own, an iterable of batches, is read in the thread that called load() and handed over one
batch at a time: so it keeps its thread, and Ctrl-C reaches it.
"""
from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any, Callable, Dict, Iterator, List, Optional

from . import _files, _frames
from ._errors import HeadraceError, SourceError, TypeMismatchError, UnsupportedError, UsageError
from ._feed import Feed
from ._pyarrow import pyarrow


class Rows:
    """The rows of a source, to be read once."""

    def __init__(self, open: Callable[["Rows"], Any], *, name: Optional[str] = None, count: int = -1,
                 empty: Optional[Callable[[], Any]] = None, feed: Optional[Feed] = None,
                 warnings: Optional[List[str]] = None, takes_no_schema: bool = True) -> None:
        self._open = open
        self.takes_no_schema = takes_no_schema  #: its types are what they are
        self._empty = empty
        self.name = name  #: for messages, and for the table's name; None: there is none
        self.count = count  #: -1: not known
        self.feed = feed  #: to be pumped by the calling thread
        self.warnings = list(warnings or [])
        self.failure: Optional[BaseException] = None  #: what the source raised

    def open(self) -> Any:
        """Something with __arrow_c_stream__."""
        return self._open(self)

    def open_empty(self) -> Any:
        """The same without rows, for a plan: nothing of the source is used up, where that can be."""
        return self._empty() if self._empty is not None else self._open(self)

    def guarded(self, schema: Any, batches: Iterator[Any]) -> Any:
        """A reader of `batches` that keeps what they raise: through a C stream only its text would come."""
        def generate() -> Iterator[Any]:
            try:
                for batch in batches:
                    if batch.schema != schema:
                        raise _other_schema(schema, batch.schema)
                    yield batch
            except GeneratorExit:  # the load wants no more
                raise
            except BaseException as error:
                self.failure = error
                raise
        return pyarrow().RecordBatchReader.from_batches(schema, generate())


def _other_schema(first: Any, other: Any) -> SourceError:
    for name in first.names:
        if name in other.names and first.field(name).type != other.field(name).type:
            return SourceError(f"column {name} is {first.field(name).type} in the first batch and "
                               f"{other.field(name).type} in a later one", column=name,
                               hint="declare the types: schema=pyarrow.schema(...)")
    return SourceError(f"a batch has the columns {', '.join(other.names)}; the first one has {', '.join(first.names)}",
                       hint="give batches of one schema")


def _empty_reader(schema: Any) -> Any:
    return pyarrow().RecordBatchReader.from_batches(schema, iter(()))


def _module(source: Any) -> str:
    return (type(source).__module__ or "").split(".")[0]


def _from_table(source: Any) -> Rows:
    return Rows(lambda rows: source, count=source.num_rows, empty=lambda: _empty_reader(source.schema))


def _from_reader(source: Any) -> Rows:
    schema = source.schema
    return Rows(lambda rows: rows.guarded(schema, iter(source)), empty=lambda: _empty_reader(schema))


def _from_batches(schema: Any, make: Callable[[], Iterator[Any]], *, count: int, name: Optional[str] = None,
                  warnings: Optional[List[str]] = None) -> Rows:
    return Rows(lambda rows: rows.guarded(schema, make()), count=count, name=name, warnings=warnings, takes_no_schema=False,
                empty=lambda: _empty_reader(schema))


def _from_pandas(source: Any, schema: Any, index: Optional[bool]) -> Rows:
    frame = _frames.PandasFrame(source, schema, index)
    return _from_batches(frame.schema, frame.batches, count=len(source), warnings=frame.warnings)


def _from_polars(source: Any) -> Rows:
    if type(source).__name__ == "LazyFrame":
        return _from_lazy(source)
    if type(source).__name__ != "DataFrame":
        raise UsageError(f"a polars {type(source).__name__} has no columns", hint="give a DataFrame: series.to_frame()")
    objects = [name for name, dtype in source.schema.items() if str(dtype) == "Object"]
    if objects:  # Arrow would get their addresses
        raise TypeMismatchError(f"column {objects[0]} holds Python objects, which Arrow has no type for", column=objects[0],
                                hint="cast it, or leave it out: frame.drop(...)")
    return Rows(lambda rows: source, count=source.height, empty=lambda: source.clear())


def _from_lazy(source: Any) -> Rows:
    empty = source.collect_schema().to_frame()
    if not hasattr(source, "collect_batches"):
        raise UnsupportedError("this polars cannot give a LazyFrame in batches",
                               hint="install a newer polars, or give lazy.collect() where it fits into memory")
    schema = pyarrow().table(empty).schema

    def batches() -> Iterator[Any]:
        for frame in source.collect_batches():
            yield from pyarrow().table(frame).to_batches()
    return Rows(lambda rows: rows.guarded(schema, batches()), empty=lambda: _empty_reader(schema))


def _from_duckdb(source: Any) -> Rows:
    read = getattr(source, "to_arrow_reader", None) or source.fetch_record_batch
    return Rows(lambda rows: _from_reader(read(_frames.BATCH_ROWS)).open(),
                empty=lambda: _empty_reader(pyarrow().table(source.limit(0)).schema))


def _from_pyarrow(source: Any) -> Optional[Rows]:
    pa = pyarrow()
    if isinstance(source, pa.Table):
        return _from_table(source)
    if isinstance(source, pa.RecordBatch):
        return _from_table(pa.Table.from_batches([source]))
    if isinstance(source, pa.RecordBatchReader):
        return _from_reader(source)
    import pyarrow.dataset as ds
    if isinstance(source, ds.Dataset):
        return _files.from_dataset(source, None)
    if isinstance(source, ds.Scanner):
        return _from_reader(source.to_reader())
    return None


def _from_iterable(source: Any, schema: Any) -> Rows:
    iterator = iter(source)
    first: List[Any] = []
    if schema is None:
        first = list(_frames.as_batches(_first(iterator), None))
        schema = first[0].schema if first else pyarrow().schema([])
    feed = Feed(first, iterator, schema)
    return Rows(lambda rows: rows.guarded(schema, feed.taken()), feed=feed, takes_no_schema=False,
                empty=lambda: _empty_reader(schema))


def _first(iterator: Iterator[Any]) -> Any:
    try:
        return next(iterator)
    except StopIteration:
        raise UsageError("the iterable is empty, so it has no columns",
                         hint="declare them: schema=pyarrow.schema(...)") from None
    except Exception as error:
        raise failed(error) from error


def _is_path(source: Any) -> bool:
    return isinstance(source, (str, PurePath, os.PathLike))


def rows_of(source: Any, schema: Any = None, index: Optional[bool] = None,
            options: Optional[Dict[str, Any]] = None) -> Rows:
    """The rows of whatever load() takes. `schema`: Arrow types that the user declares; `options`: of load()."""
    if _is_path(source):
        return _files.from_paths([source], schema, options or {})
    if isinstance(source, (list, tuple)) and source and all(map(_is_path, source)):
        return _files.from_paths(list(source), schema, options or {})
    rows = _rows_in_memory(source, schema, index)
    if schema is not None and rows.takes_no_schema:
        raise UsageError(f"schema= is not for a {type(source).__module__}.{type(source).__qualname__}, which has its own types",
                         hint="cast it first: table.cast(schema), frame.cast({...})")
    return rows


def _rows_in_memory(source: Any, schema: Any, index: Optional[bool]) -> Rows:
    module = _module(source)
    if module == "pyspark":
        raise UnsupportedError(
            "Spark DataFrames are not loaded yet: their executors will write in parallel, which is not built",
            hint="where the rows fit into the driver's memory give df.toArrow() (Spark 4) or df.toPandas(); "
                 "otherwise write Parquet and load its folder")
    if module in ("pandas", "geopandas") and hasattr(source, "columns"):
        return _from_pandas(source, schema, index)
    if module == "polars":
        return _from_polars(source)
    if module in ("duckdb", "_duckdb") and hasattr(source, "fetchall") and hasattr(source, "limit"):
        return _from_duckdb(source)
    if module == "pyarrow":
        rows = _from_pyarrow(source)
        if rows is not None:
            return rows
    if hasattr(source, "__arrow_c_stream__"):
        return Rows(lambda rows: source)
    if hasattr(source, "__arrow_c_array__"):
        return _from_table(pyarrow().Table.from_batches([pyarrow().record_batch(source)]))
    if isinstance(source, Iterable) and not isinstance(source, (Mapping, bytes, bytearray)):
        return _from_iterable(source, schema)
    raise UsageError(f"a {type(source).__module__}.{type(source).__qualname__} is no source",
                     hint="give a path, a dataframe, an Arrow table or stream, or an iterable of record batches")


def failed(error: BaseException) -> HeadraceError:
    """The exception to raise for what a source raised; its cause is `error`."""
    if isinstance(error, HeadraceError):
        return error
    return SourceError(f"the source failed: {type(error).__name__}: {error}",
                       hint="the target is as it was")
