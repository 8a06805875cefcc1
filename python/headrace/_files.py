"""Files, folders and globs, read by pyarrow's dataset scanner: it decodes ahead on all cores, in bounded memory."""
from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Optional
from urllib.parse import unquote, urlparse

from ._errors import NotFoundError, SourceError, UnsupportedError, UsageError
from ._pyarrow import pyarrow

if TYPE_CHECKING:
    from ._sources import Rows

_FORMATS = {".parquet": "parquet", ".pq": "parquet", ".arrow": "arrow", ".feather": "arrow", ".ipc": "arrow",
            ".csv": "csv", ".tsv": "tsv", ".orc": "orc"}
_PACKED = (".gz", ".zst", ".bz2")
# About 2 x 4 x 32,768 rows are decoded ahead; the defaults would hold sixteen times as many.
_SCAN = {"batch_size": 32768, "batch_readahead": 4, "fragment_readahead": 2}


def _local(path: Any) -> str:
    text = os.fspath(path)
    if text == "-":
        raise UsageError("standard input is no source in Python", hint="give pyarrow.ipc.open_stream(sys.stdin.buffer)")
    url = urlparse(text)
    if url.scheme == "file":
        return unquote(url.path)
    if url.scheme in ("s3", "s3a", "s3n"):
        raise UnsupportedError(f"{url.scheme}:// sources are not read yet",
                               hint="copy the files here first, or give a pyarrow dataset on an S3 file system")
    if "://" in text:
        raise UsageError(f"sources of the kind {url.scheme}:// are not known", hint="give a path or a file:// URI")
    return text


def _found(path: str) -> List[str]:
    if os.path.exists(path):
        return [path]
    matches = sorted(glob.glob(path, recursive=True))
    if not matches:
        raise NotFoundError(f"{path} does not exist", file=path, hint="check the path")
    return matches


def _format_of(path: str) -> Optional[str]:
    name = Path(path)
    while name.suffix in _PACKED:
        name = name.with_suffix("")
    return _FORMATS.get(name.suffix.lower())


def _data_files(path: str) -> List[str]:
    """The file itself, or the files of known formats below a folder; hidden ones and markers are passed over."""
    if not os.path.isdir(path):
        return [path]
    files = []
    for folder, folders, names in os.walk(path):
        if "_delta_log" in folders:
            raise UnsupportedError(f"{folder} is a Delta table, which is not read yet", file=folder,
                                   hint="give its rows: deltalake.DeltaTable(path).to_pyarrow_dataset()")
        folders[:] = sorted(f for f in folders if not f.startswith((".", "_")))
        files += [os.path.join(folder, n) for n in sorted(names) if not n.startswith((".", "_")) and _format_of(n)]
    return files


def _format_object(name: str, delimiter: Optional[str]) -> Any:
    import pyarrow.csv as csv
    import pyarrow.dataset as ds
    if name == "parquet":
        # INT96 in nanoseconds would wrap around outside the years 1677 to 2262.
        return ds.ParquetFileFormat(read_options=ds.ParquetReadOptions(coerce_int96_timestamp_unit="us"))
    if name in ("csv", "tsv"):
        given = {"tab": "\t", "\\t": "\t"}.get(delimiter or "", delimiter) or ("\t" if name == "tsv" else ",")
        if len(given) != 1:
            raise UsageError(f"delimiter {given!r} is not one character")
        return ds.CsvFileFormat(parse_options=csv.ParseOptions(delimiter=given, newlines_in_values=True))
    return name


def _dataset(path: str, files: List[str], format_object: Any, schema: Any) -> Any:
    """`schema`: declared by the user; otherwise that of all files together, as each may have further columns."""
    import pyarrow.dataset as ds
    base = path if os.path.isdir(path) else None

    def of_schema(schema: Any) -> Any:
        return ds.dataset(files, format=format_object, schema=schema, partitioning=ds.partitioning(flavor="hive"),
                          partition_base_dir=base)
    dataset = of_schema(schema)
    if schema is not None or len(files) == 1:
        return dataset
    others = [ds.dataset(file, format=format_object).schema for file in files[1:]]
    return of_schema(pyarrow().unify_schemas([dataset.schema, *others], promote_options="permissive"))


# Options of the command line's own CSV reader, which pyarrow's does not have.
_CSV_ONLY = ("no_header", "null", "type", "format")


def from_paths(paths: List[Any], schema: Any, options: Dict[str, Any]) -> "Rows":
    import pyarrow.dataset as ds
    for name in _CSV_ONLY:
        if options.get(name):
            raise UsageError(f"{name} is not an option for files in Python",
                             hint="give schema=, or a pyarrow dataset or table that reads the file as you want it")
    found = {path: _data_files(path) for given in paths for path in _found(_local(given))}
    files = [file for below in found.values() for file in below]
    first = next(iter(found))
    if not files:
        raise NotFoundError(f"{first} has no file that could be read", file=first,
                            hint="files end in .parquet, .arrow, .feather, .csv or .tsv")
    formats = sorted({_format_of(file) or "" for file in files})
    if formats == [""] or len(formats) > 1:
        raise UsageError(
            f"cannot tell the format of {files[0]}" if len(formats) == 1 else
            f"the files have different formats: {', '.join(filter(None, formats))}",
            hint="give files ending in .parquet, .arrow, .feather, .csv or .tsv, or a pyarrow dataset")
    pa = pyarrow()
    try:
        kind = _format_object(formats[0], options.get("delimiter"))
        parts = [_dataset(path, below, kind, schema) for path, below in found.items() if below]
        dataset = parts[0] if len(parts) == 1 else ds.dataset(parts)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{first} cannot be read: {error}", file=first) from error
    return from_dataset(dataset, str(paths[0]) if len(paths) == 1 else None)


def _row_count(dataset: Any) -> int:
    # Parquet and Arrow files say it in their footers; a CSV file would be read for it.
    if type(getattr(dataset, "format", None)).__name__ not in ("ParquetFileFormat", "IpcFileFormat"):
        return -1
    return int(dataset.count_rows())


def from_dataset(dataset: Any, name: Optional[str]) -> "Rows":
    from ._sources import Rows
    pa = pyarrow()
    try:
        count = _row_count(dataset)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{name or 'the dataset'} cannot be read: {error}", file=name or "") from error

    def read(rows: Rows) -> Any:
        reader = dataset.scanner(**_SCAN).to_reader()
        return rows.guarded(reader.schema, iter(reader))
    return Rows(read, name=name, count=count,
                empty=lambda: pa.RecordBatchReader.from_batches(dataset.schema, iter(())))
