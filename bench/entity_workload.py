"""The entity-like table: 15 columns, jsonb, MULTIPOLYGON and POINT, with its 12 indexes and without any."""
import hashlib

from shell import run
from workloads import BENCH, Workload

COLUMNS = {"entity": "bigint NOT NULL", "name": "text", "entry_date": "date", "start_date": "date", "end_date": "date",
           "dataset": "text", "json": "jsonb", "organisation_entity": "bigint", "prefix": "text", "reference": "text",
           "typology": "text", "geojson": "jsonb", "geometry": "geometry(MULTIPOLYGON,4326)",
           "point": "geometry(POINT,4326)", "quality": "text"}
B_TREES = ("dataset", "end_date", "entry_date", "name", "organisation_entity", "prefix", "reference", "start_date",
           "typology")
GEOMETRIES = ("geometry", "point")
INDEXES = ("ALTER TABLE {table} ADD PRIMARY KEY (entity)",
           *(f"CREATE INDEX ON {{table}} ({name})" for name in B_TREES),
           *(f"CREATE INDEX ON {{table}} USING gist ({name})" for name in GEOMETRIES))
# Rows that a load is to replace: as the new ones but for one column, so that the proof sees any that stayed.
OLD_COLUMN = ("quality", "'old'")


def as_text(name, kind):
    # The bytes of a geometry, not its text, and 32 characters of them: they can be 2 MB.
    return f"md5(ST_AsEWKB({name}))" if kind.startswith("geometry") else f"{name}::text"


def source(options):
    """Made by the script as it is now; another script makes another file."""
    script = BENCH / "inputs" / "entity.py"
    version = hashlib.sha256(script.read_bytes()).hexdigest()[:8]
    path = options.work / "inputs" / f"entity-{options.entity_rows}-{version}.parquet"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".part")
        run([options.python, script, temporary, str(options.entity_rows)])
        temporary.rename(path)
    return path


def workload(options, name, indexes):
    made = source(options)
    recipe = (options.python, BENCH / "inputs" / "csv_by_duckdb.py", made, "OUT", *GEOMETRIES)
    return Workload(name, "entity", ", ".join(f"{column} {kind}" for column, kind in COLUMNS.items()), made,
                    options.work, options.python, recipe, False, indexes=indexes, wkt=GEOMETRIES,
                    casts=tuple(f"{column}:{kind}" for column, kind in COLUMNS.items() if kind.startswith(("j", "g"))),
                    column_text=tuple((column, as_text(column, kind)) for column, kind in COLUMNS.items()))


WORKLOADS = {"entity": lambda options: workload(options, "entity", INDEXES),
             "entity_bare": lambda options: workload(options, "entity_bare", ())}
