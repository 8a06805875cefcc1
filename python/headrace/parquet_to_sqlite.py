"""The command parquet_to_sqlite, with the flags of the script that it replaces. Also `python -m headrace.parquet_to_sqlite`."""
from __future__ import annotations

import argparse
import logging
import sys
from typing import List, Optional

from ._errors import HeadraceError
from .compat.postgres_connectivity import SQLITE_FILE_ROWS, write_to_sqlite


def main(arguments: Optional[List[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="parquet_to_sqlite", description="Parquet files into SQLite.")
    parser.add_argument("-i", "--input", required=True, help="Parquet file, folder or glob")
    parser.add_argument("-o", "--output", required=True, help="SQLite file, or a folder for it")
    parser.add_argument("-t", "--table-name", default="data", help="table (default: %(default)s)")
    parser.add_argument("-m", "--method", default="optimized", choices=("optimized", "single_file", "partitioned"),
                        help="one file or several (default: %(default)s: one up to --max-records rows)")
    parser.add_argument("-r", "--max-records", type=int, default=SQLITE_FILE_ROWS,
                        help="rows of a file, with several (default: %(default)s)")
    parser.add_argument("-v", "--verbose", action="store_true", help="log lines and progress on stderr")
    options = parser.parse_args(arguments)
    logging.basicConfig(format="[%(levelname)s] %(message)s",
                        level=logging.INFO if options.verbose else logging.WARNING)
    try:
        report = write_to_sqlite(options.input, options.output, options.method, table_name=options.table_name,
                                 max_records_per_file=options.max_records, progress=options.verbose)
    except HeadraceError as error:
        print(f"parquet_to_sqlite: error: {error}", file=sys.stderr)
        return {"usage": 2, "not_found": 3}.get(error.code, 1)
    except KeyboardInterrupt:
        return 130
    print(f"{report.rows_written:,} rows written to {', '.join(report.files)} in {report.seconds:.1f} seconds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
