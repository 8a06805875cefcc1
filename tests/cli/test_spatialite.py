"""SpatiaLite files, read and changed by SpatiaLite itself (mod_spatialite)."""
import random
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import headrace

pytestmark = pytest.mark.files


def shape(i, r):
    x, y = r.uniform(-170, 170), r.uniform(-80, 80)
    return [f"POINT({x} {y})", f"POLYGON(({x} {y}, {x + 1} {y}, {x + 1} {y + 1}, {x} {y}))", None,
            f"SRID=4326;LINESTRING({x} {y}, {x + 2} {y - 1})", f"MULTIPOLYGON((({x} {y}, {x + 1} {y}, {x + 1} {y + 1}, {x} {y})))",
            f"GEOMETRYCOLLECTION(POINT({x} {y}), LINESTRING({x} {y}, 1 2))"][i % 6]


def load(tmp_path, columns, *more):
    pq.write_table(pa.table(columns), tmp_path / "a.parquet", row_group_size=1000)
    return headrace("load", tmp_path / "a.parquet", "--to", tmp_path / "a.sqlite", "--table", "Places", "--geometry", "spatialite",
                    "--json", *more)


def ask(path, *statements):
    """What SpatiaLite answers, a line each. By the sqlite3 shell: the module of Python may not load extensions."""
    done = subprocess.run(["sqlite3", "-bail", path, "SELECT load_extension('mod_spatialite')", *statements],
                          capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout.strip().splitlines(), done.stderr


def test_spatialite_takes_the_file_for_its_own(tmp_path):
    r = random.Random(3)
    shapes = [shape(i, r) for i in range(6000)]
    done = load(tmp_path, {"Name": [f"n{i}" for i in range(6000)], "geom": pa.array(shapes, pa.string()),
                           "wkt": [f"POINT({i % 90} {i % 80})" for i in range(6000)]})
    assert done.code == 0 and done.json()["method"] == "pages"
    file = tmp_path / "a.sqlite"
    code, said, err = ask(
        file, "SELECT CheckSpatialMetaData()", "SELECT CheckSpatialIndex('Places', 'geom'), CheckSpatialIndex('Places', 'wkt')",
        "PRAGMA integrity_check", "SELECT rtreecheck('idx_Places_geom')", "SELECT * FROM geometry_columns",
        "SELECT count(*), sum(geom IS NULL), sum(ST_SRID(geom) = 4326), sum(ST_IsValid(geom)) FROM Places",
        "SELECT count(*) FROM idx_Places_wkt")
    assert code == 0, err
    assert said == ["3", "1|1", "ok", "ok", "places|geom|0|2|4326|1", "places|wkt|1|2|4326|1", "6000|1000|5000|4000", "6000"]
    # Every geometry is what SpatiaLite itself makes of the text.
    (tmp_path / "texts.sql").write_text("".join(
        f"SELECT {i + 1} FROM Places WHERE fid = {i + 1} AND geom = GeomFromText('{text.removeprefix('SRID=4326;')}', 4326);\n"
        for i, text in enumerate(shapes) if text))
    code, said, err = ask(file, f".read {tmp_path / 'texts.sql'}")
    assert code == 0, err
    assert [int(line) for line in said] == [i + 1 for i, text in enumerate(shapes) if text]


def test_windows_by_the_rtree(tmp_path):
    r = random.Random(4)
    assert load(tmp_path, {"geom": pa.array([shape(i, r) for i in range(5000)], pa.string())}).code == 0
    total = 0
    for _ in range(20):
        x, y, w = r.uniform(-170, 150), r.uniform(-80, 60), r.choice([2, 20])
        window = f"BuildMbr({x}, {y}, {x + w}, {y + w})"
        tree = (f"SELECT count(*) FROM Places WHERE MbrIntersects(geom, {window}) = 1 AND rowid IN (SELECT pkid FROM idx_Places_geom "
                f"WHERE xmax >= {x} AND xmin <= {x + w} AND ymax >= {y} AND ymin <= {y + w})")
        code, said, err = ask(tmp_path / "a.sqlite", tree, f"SELECT count(*) FROM Places WHERE MbrIntersects(geom, {window}) = 1")
        assert code == 0, err
        assert said[0] == said[1]
        total += int(said[0])
    assert total > 50


def test_spatialite_changes_the_table(tmp_path):
    assert load(tmp_path, {"name": ["a", "b"], "geom": ["POINT(1 2)", "POINT(3 4)"]}).code == 0
    file = tmp_path / "a.sqlite"
    code, said, err = ask(file, "INSERT INTO Places(name, geom) VALUES ('c', GeomFromText('POINT(7 8)', 4326))",
                          "UPDATE Places SET geom = GeomFromText('POINT(9 9)', 4326) WHERE name = 'a'", "DELETE FROM Places WHERE name = 'b'",
                          "SELECT CheckSpatialIndex('Places', 'geom')", "SELECT pkid, xmin FROM idx_Places_geom ORDER BY pkid")
    assert (code, said) == (0, ["1", "1|9.0", "3|7.0"]), err
    for wrong in ("GeomFromText('POINT(7 8)', 3857)", "GeomFromText('LINESTRING(7 8, 9 9)', 4326)"):
        code, _, err = ask(file, f"INSERT INTO Places(name, geom) VALUES ('d', {wrong})")
        assert code != 0 and "violates Geometry constraint" in err


def test_z_and_reference_systems(tmp_path):
    assert load(tmp_path, {"geom": ["POINT Z(1 2 3)", "POINT Z(4 5 6)"]}, "--srid", "25832").code == 0
    code, said, err = ask(tmp_path / "a.sqlite", "SELECT * FROM geometry_columns", "SELECT ST_AsText(geom), ST_SRID(geom) FROM Places",
                          "SELECT auth_name, auth_srid FROM spatial_ref_sys WHERE srid = 25832")
    assert (code, said) == (0, ["places|geom|1001|3|25832|1", "POINT Z(1 2 3)|25832", "POINT Z(4 5 6)|25832", "epsg|25832"]), err


@pytest.mark.parametrize("shapes, options, words", [
    (["POINT EMPTY"], [], "no empty geometries"),
    (["MULTIPOLYGON(((0 0,1 0,1 1,0 0)),EMPTY)"], [], "no empty geometries"),
    (["GEOMETRYCOLLECTION(MULTIPOINT(3 4, 5 6))"], [], "within a collection"),
    (["POINT(1 2)", "POINT Z(1 2 3)"], [], "with and without Z or M"),
    (["SRID=3857;POINT(1 2)"], [], "SRID is 3857"),
    (["POINT(1 2)"], ["--strict"], "STRICT"),
    (["POINT(1 2)"], ["--method", "api"], "new file"),
    (["POINT(1 2)"], ["--layout", "partitioned", "--num-partitions", "2"], "SpatiaLite file is one file"),
])
def test_refused(tmp_path, shapes, options, words):
    done = load(tmp_path, {"geom": shapes}, *options)
    assert done.code != 0 and words in done.json()["error"]["message"]
    assert not (tmp_path / "a.sqlite").exists()
