"""Files, folders and globs, read by pyarrow's dataset scanner: it decodes ahead on all cores, in bounded memory."""
from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, List, Optional
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


def _formats_in(path: str) -> List[str]:
    """Formats of a file, or of the files below a folder that are not hidden."""
    if not os.path.isdir(path):
        known = _format_of(path)
        return [known] if known else []
    formats = set()
    for folder, folders, names in os.walk(path):
        folders[:] = [f for f in folders if not f.startswith((".", "_"))]
        if "_delta_log" in os.listdir(folder):
            raise UnsupportedError(f"{folder} is a Delta table, which is not read yet", file=folder,
                                   hint="give its rows: deltalake.DeltaTable(path).to_pyarrow_dataset()")
        formats.update(f for f in map(_format_of, (n for n in names if not n.startswith((".", "_")))) if f)
    return sorted(formats)


def _format_object(name: str) -> Any:
    import pyarrow.csv as csv
    import pyarrow.dataset as ds
    if name == "tsv":
        return ds.CsvFileFormat(parse_options=csv.ParseOptions(delimiter="\t"))
    return name


def from_paths(paths: List[Any], schema: Any) -> "Rows":
    import pyarrow.dataset as ds
    files: List[str] = []
    for path in paths:
        files.extend(_found(_local(path)))
    formats = sorted({f for file in files for f in _formats_in(file)})
    if len(formats) != 1:
        raise UsageError(
            f"cannot tell the format of {files[0]}" if not formats else
            f"the files have different formats: {', '.join(formats)}",
            hint="give files ending in .parquet, .arrow, .feather, .csv or .tsv, or a pyarrow dataset")
    pa = pyarrow()
    try:
        if len(files) == 1:
            dataset = ds.dataset(files[0], format=_format_object(formats[0]), partitioning="hive", schema=schema)
        else:
            dataset = ds.dataset([ds.dataset(f, format=_format_object(formats[0]), partitioning="hive", schema=schema)
                                  for f in files])
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{files[0]} cannot be read: {error}", file=files[0]) from error
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
