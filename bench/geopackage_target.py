"""A GeoPackage with its R-tree: points, and the provinces of the world."""
import hashlib
import sqlite3

from aims import aim, times
from arms import Arm, headrace, peer
from shell import run
from sqlite_target import SqliteTarget
from workloads import BENCH, Workload, fetched

TABLE = "places"
# Header bytes before the WKB, by the envelope's kind.
ENVELOPE_BYTES = (0, 32, 48, 48, 64)


def source(options, name):
    """The Parquet file with WKB, made once."""
    path = options.work / "inputs" / f"{name}.parquet"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".part")
        more = [fetched("world-map")] if name == "world" else []
        run([options.python, BENCH / "inputs" / "places.py", temporary, name, *more])
        temporary.rename(path)
    return path


def workload(options, name):
    return Workload(name, TABLE, "", source(options, name), options.work, options.python, (), False,
                    column_text=(("geom", "geom"),))


WORKLOADS = {name: lambda options, name=name: workload(options, name) for name in ("points", "world")}


def wkb_digest(rows):
    digest = hashlib.sha256()
    for fid, name, blob in rows:
        digest.update(f"{fid} {name} ".encode())
        digest.update(blob[8 + ENVELOPE_BYTES[blob[3] >> 1 & 7]:])
    return digest.hexdigest()


class GeoPackageTarget(SqliteTarget):
    name = "geopackage"
    workloads = ("points", "world")
    title = "GeoPackage with R-tree, to the finished and synced file, whole process"

    def __init__(self, options):
        super().__init__(options)
        self.out = options.work / "out.gpkg"
        self.expected = {}  # workload -> digest of the source's names and geometries

    def arms(self):
        options, out = self.options, self.out
        return [
            Arm("headrace", "headrace, from Parquet", ours=True, commands=lambda w, file: headrace(
                options, file, "--to", out, "--table", TABLE)),
            Arm("ogr2ogr", "ogr2ogr, from FlatGeobuf made before the clock", inputs=lambda w, file: [self.flatgeobuf(w)],
                note="one transaction, sync and journal off",
                commands=lambda w, file: [["ogr2ogr", "-f", "GPKG", "-gt", "unlimited", "--config", "OGR_SQLITE_SYNCHRONOUS", "OFF",
                                           "--config", "OGR_SQLITE_JOURNAL", "OFF", "--config", "OGR_SQLITE_CACHE", "512",
                                           "-nln", TABLE, out, self.flatgeobuf(w)]]),
            Arm("pyogrio", "pyogrio write_arrow (GDAL of its wheel), from Parquet",
                commands=lambda w, file: peer(options, "geopackage_pyogrio.py", file, out, TABLE)),
            Arm("write", "floor: write and fsync", floor=True, note="as many bytes as the database file",
                commands=self.write_bytes),
        ]

    def flatgeobuf(self, workload):
        script = BENCH / "inputs" / "flatgeobuf.py"
        return workload.make(f"-{workload.name}.fgb", lambda out: run([workload.python, script, workload.source, out]))

    def prepare(self, workload, arms):
        script = BENCH / "inputs" / "places.py"
        self.expected[workload.name] = run([workload.python, script, "--digest", workload.source]).strip()
        for arm in arms:
            arm.files(workload, workload.source)

    def prove_file(self, workload, _arm, facts):
        connection = sqlite3.connect(f"file:{self.out}?mode=ro", uri=True)
        try:
            differences = []
            for check in ("PRAGMA quick_check(1)", f"SELECT rtreecheck('rtree_{TABLE}_geom')"):
                if (said := connection.execute(check).fetchone()[0]) != "ok":
                    differences.append(f"{check}: {said}")
            for table in (TABLE, f"rtree_{TABLE}_geom"):
                if (count := connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) != facts["rows"]:
                    differences.append(f"{table} has {count} rows, not {facts['rows']}")
            rows = connection.execute(f"SELECT row_number() OVER (ORDER BY fid), name, geom FROM {TABLE} ORDER BY fid")
            if wkb_digest(rows) != self.expected[workload.name]:
                differences.append("names or geometries are not those of the source")
            return {"ok": not differences, "differences": differences}
        except sqlite3.Error as error:
            return {"ok": False, "differences": [f"SQLite: {error}"]}
        finally:
            connection.close()

    def remarks(self, result):
        ratio = times(result, "headrace", "ogr2ogr")
        return [], [aim("at least 10 times as fast as ogr2ogr", ratio, at_least=10)] if ratio else []
