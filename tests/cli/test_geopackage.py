"""GeoPackage files, and geometries in SQLite files: by SQLite's own checks, a second reading of the blobs, and GDAL."""

import random
import sqlite3
import struct
from contextlib import closing

import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
from conftest import headrace

pytestmark = pytest.mark.files
CAPACITY = {512: 18, 1024: 39, 4096: 51, 65536: 51}  # cells of an R-tree node


def shape(i, r):
    x, y = r.uniform(-179, 178), r.uniform(-89, 88)
    kinds = [f"POINT({x} {y})", f"POLYGON(({x} {y}, {x + 1} {y}, {x + 1} {y + 1}, {x} {y}))",
             f"SRID=4326;LINESTRING({x} {y}, {x + .5} {y - .25})", None, "POINT EMPTY", "MULTIPOLYGON EMPTY",
             f"MULTIPOINT(({x} {y}), ({x + 2} {y}))"]
    return kinds[i % 7] if i % 50 < 7 else kinds[i % 3]


def write(path, shapes, row_group=1000, **more):
    columns = {"name": [f"n{i}" for i in range(len(shapes))], "geom": pa.array(shapes, pa.string())} | more
    pq.write_table(pa.table(columns), path, row_group_size=row_group)
    return path


def load(source, target, *more, **environment):
    return headrace("load", source, "--to", target, "--table", "places", "--json", *more, env=environment or None)


def rows(path, sql):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def envelope(blob):
    """(min x, max x, min y, max y) of a GeoPackage blob, None for one without."""
    if blob is None or blob[3] & 16:
        return None
    if blob[3] & 2:
        return struct.unpack("<4d", blob[8:40])
    x, y = struct.unpack("<2d", blob[13:29])
    return x, x, y, y


@pytest.mark.parametrize("page_size", [512, 1024, 4096, 65536])
def test_the_rtree_of_any_number_of_boxes(tmp_path, page_size):
    full = CAPACITY[page_size]
    for count in [0, 1, full, full + 1, 3 * full, full * full, full * full + 1]:
        r = random.Random(count)
        points = [f"POINT({r.uniform(-180, 180)} {r.uniform(-90, 90)})" for _ in range(count)]
        source = write(tmp_path / "a.parquet", points)
        target = tmp_path / f"{count}.gpkg"
        assert load(source, target, "--page-size", str(page_size)).code == 0
        assert rows(target, "SELECT rtreecheck('rtree_places_geom')") == [("ok",)]
        assert rows(target, "PRAGMA integrity_check") == [("ok",)]
        assert rows(target, "SELECT count(*) FROM rtree_places_geom") == [(count,)]
        # It stays one that SQLite can change.
        with closing(sqlite3.connect(target, isolation_level=None)) as connection:
            connection.execute("DELETE FROM rtree_places_geom WHERE id % 3 = 0")
            connection.execute("INSERT INTO rtree_places_geom SELECT id + 100000, minx, maxx, miny, maxy FROM rtree_places_geom")
            assert connection.execute("SELECT rtreecheck('rtree_places_geom')").fetchall() == [("ok",)]


def test_windows_by_the_rtree_are_those_of_a_full_scan(tmp_path):
    r = random.Random(1)
    source = write(tmp_path / "a.parquet", [shape(i, r) for i in range(6000)])
    target = tmp_path / "a.gpkg"
    assert load(source, target).code == 0
    boxes = [(fid, envelope(blob)) for fid, blob in rows(target, "SELECT fid, geom FROM places")]
    assert sum(box is not None for _, box in boxes) == rows(target, "SELECT count(*) FROM rtree_places_geom")[0][0]
    found = 0
    for _ in range(200):
        x, y, w, h = r.uniform(-180, 170), r.uniform(-90, 80), r.choice([1, 10, 90]), r.choice([1, 10, 90])
        scan = {fid for fid, b in boxes if b and b[1] >= x and b[0] <= x + w and b[3] >= y and b[2] <= y + h}
        tree = {i for i, in rows(target, f"SELECT id FROM rtree_places_geom WHERE maxx >= {x} AND minx <= {x + w} AND maxy >= {y}"
                                         f" AND miny <= {y + h}")}
        assert scan <= tree  # boxes of the tree are rounded outwards
        assert len(tree - scan) <= 2
        found += len(scan)
    assert found > 1000


def test_the_tables_of_a_geopackage(tmp_path):
    source = write(tmp_path / "a.parquet", ["POINT(1 2)", "LINESTRING(-3 4, 5 60)", None, "POINT EMPTY"], ok=[True, False, None, True])
    target = tmp_path / "a.gpkg"
    report = load(source, target).json()
    assert report["method"] == "pages"
    assert rows(target, "PRAGMA application_id") == [(0x47504B47,)] and rows(target, "PRAGMA user_version") == [(10300,)]
    assert rows(target, "SELECT table_name, data_type, min_x, min_y, max_x, max_y, srs_id FROM gpkg_contents") == [
        ("places", "features", -3, 2, 5, 60, 4326)]
    assert rows(target, "SELECT * FROM gpkg_geometry_columns") == [("places", "geom", "GEOMETRY", 4326, 0, 0)]
    assert rows(target, "SELECT table_name, column_name, extension_name, scope FROM gpkg_extensions") == [
        ("places", "geom", "gpkg_rtree_index", "write-only")]
    assert {-1, 0, 4326} <= {i for i, in rows(target, "SELECT srs_id FROM gpkg_spatial_ref_sys")}
    assert rows(target, "SELECT sql FROM sqlite_master WHERE name = 'places'") == [
        ('CREATE TABLE "places" ("fid" INTEGER PRIMARY KEY, "name" TEXT, "geom" GEOMETRY, "ok" BOOLEAN)',)]
    triggers = {name for name, in rows(target, "SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    assert triggers == {f"rtree_places_geom_{t}" for t in ["insert", "update1", "update2", "update3", "update4", "delete"]}
    got = rows(target, "SELECT fid, hex(geom) FROM places")
    srs = "E6100000"
    assert got[0] == (1, "47500001" + srs + "0101000000000000000000F03F0000000000000040")
    assert got[1][1].startswith("47500003" + srs) and envelope(bytes.fromhex(got[1][1])) == (-3, 5, 4, 60)
    assert got[2] == (3, "")
    assert got[3][1].startswith("47500011" + srs + "0101000000")
    assert rows(target, "PRAGMA foreign_key_check") == []


def test_a_geopackage_is_the_same_in_every_run(tmp_path):
    r = random.Random(5)
    source = write(tmp_path / "a.parquet", [shape(i, r) for i in range(5000)], row_group=300)
    runs = [["--connections", "1"], ["--connections", "4"], ["--connections", "2", "--memory", "32MiB"]]
    files = []
    for i, options in enumerate(runs):
        target = tmp_path / f"{i}.gpkg"
        assert load(source, target, *options, SOURCE_DATE_EPOCH="1700000000").code == 0
        files.append(target.read_bytes())
    assert files[0] == files[1] == files[2]
    assert rows(target, "SELECT last_change FROM gpkg_contents") == [("2023-11-14T22:13:20.000Z",)]


def test_z_keys_and_reference_systems(tmp_path):
    source = write(tmp_path / "a.parquet", ["POINT Z (1 2 3)", "POINT(4 5)"], fid=[7, 3])
    target = tmp_path / "a.gpkg"
    assert load(source, target, "--srid", "25832").code == 0
    assert rows(target, "SELECT srs_id, z, m FROM gpkg_geometry_columns") == [(25832, 2, 0)]
    assert rows(target, "SELECT organization, organization_coordsys_id FROM gpkg_spatial_ref_sys WHERE srs_id = 25832") == [("EPSG", 25832)]
    assert rows(target, "SELECT fid, hex(substr(geom, 9, 5)) FROM places") == [(3, "0101000000"), (7, "01E9030000")]
    assert rows(target, "SELECT id, minx FROM rtree_places_geom ORDER BY id") == [(3, 4.0), (7, 1.0)]
    other = load(source, tmp_path / "b.gpkg", "--primary-key", "name")
    assert other.code == 2 and "one integer column" in other.json()["error"]["message"]


@pytest.mark.parametrize("shapes,options,words", [
    (["SRID=3857;POINT(1 2)"], [], "SRID is 3857"),
    (["POINT(1 2"], [], "POINT"),
    (["POINT(1 2)"], ["--strict"], "STRICT"),
    (["POINT(1 2)"], ["--method", "api"], "new file"),
    (["POINT(1 2)"], ["--geometry-column", "nowhere"], "nowhere"),
])
def test_refused(tmp_path, shapes, options, words):
    source = write(tmp_path / "a.parquet", shapes)
    done = load(source, tmp_path / "a.gpkg", *options)
    assert done.code != 0 and words in done.json()["error"]["message"]
    assert not (tmp_path / "a.gpkg").exists()


def test_two_geometry_columns(tmp_path):
    source = write(tmp_path / "a.parquet", ["POINT(1 2)"], wkt=["POINT(3 4)"])
    done = load(source, tmp_path / "a.gpkg")
    assert done.code == 2 and "geom, wkt" in done.json()["error"]["message"]
    assert load(source, tmp_path / "a.gpkg", "--geometry-column", "wkt").code == 0
    assert rows(tmp_path / "a.gpkg", "SELECT geom, typeof(wkt) FROM places") == [("POINT(1 2)", "blob")]


@pytest.mark.parametrize("method", ["pages", "api"])
def test_wkt_and_wkb(tmp_path, method):
    shapes = ["SRID=4326;point(1 2.50)", "LINESTRING Z (0 0 1, 1 1 2)", "MULTIPOLYGON(((0 0,1 0,1 1,0 0)),EMPTY)",
              "GEOMETRYCOLLECTION(POINT(1 2), MULTIPOINT(3 4, 5 6))", "POLYGON EMPTY", None]
    source = write(tmp_path / "a.parquet", shapes)
    assert load(source, tmp_path / "t.sqlite", "--geometry", "wkt", "--method", method).code == 0
    assert [g for g, in rows(tmp_path / "t.sqlite", "SELECT geom FROM places")] == [
        "POINT (1 2.5)", "LINESTRING Z (0 0 1, 1 1 2)", "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), EMPTY)",
        "GEOMETRYCOLLECTION (POINT (1 2), MULTIPOINT ((3 4), (5 6)))", "POLYGON EMPTY", None]
    assert load(source, tmp_path / "b.sqlite", "--geometry", "wkb", "--method", method).code == 0
    blobs = [g for g, in rows(tmp_path / "b.sqlite", "SELECT geom FROM places")]
    assert blobs[0] == struct.pack("<BIdd", 1, 1, 1, 2.5) and blobs[1][:9] == struct.pack("<BII", 1, 1002, 2) and blobs[5] is None
    # There and back again.
    back = pa.table({"name": ["x"] * 6, "geom": pa.array(blobs, pa.binary())})
    pq.write_table(back, tmp_path / "back.parquet")
    assert load(tmp_path / "back.parquet", tmp_path / "c.sqlite", "--geometry", "wkt").code == 0
    assert rows(tmp_path / "c.sqlite", "SELECT geom FROM places") == rows(tmp_path / "t.sqlite", "SELECT geom FROM places")


def test_gdal_reads_and_appends(tmp_path):
    r = random.Random(9)
    shapes = [shape(i, r) for i in range(2000)]
    target = tmp_path / "a.gpkg"
    assert load(write(tmp_path / "a.parquet", shapes), target).code == 0
    facts = pyogrio.read_info(target)
    assert facts["crs"] == "EPSG:4326" and facts["features"] == 2000 and facts["fid_column"] == "fid"
    assert facts["capabilities"]["fast_spatial_filter"]
    _, fids, blobs, fields = pyogrio.raw.read(target, return_fids=True)
    assert list(fids) == list(range(1, 2001)) and list(fields[0]) == [f"n{i}" for i in range(2000)]
    ours = [None if b is None else b[40 if b[3] & 2 else 8:] for b, in rows(target, "SELECT geom FROM places")]
    assert list(blobs) == ours
    _, near, _, _ = pyogrio.raw.read(target, bbox=(0, 0, 20, 20), return_fids=True)
    scan = {fid for fid, b in rows(target, "SELECT fid, geom FROM places")
            if (e := envelope(b)) and e[1] >= 0 and e[0] <= 20 and e[3] >= 0 and e[2] <= 20}
    assert near.size > 3 and set(near) <= scan
    # Its triggers keep the R-tree.
    before = rows(target, "SELECT count(*) FROM rtree_places_geom")[0][0]
    pyogrio.raw.write(target, blobs[:3], [fields[0][:3]], ["name"], layer="places", driver="GPKG", geometry_type="Unknown",
                      crs="EPSG:4326", append=True)
    assert rows(target, "SELECT count(*) FROM rtree_places_geom") == [(before + 3,)]
    assert rows(target, "SELECT rtreecheck('rtree_places_geom')") == [("ok",)]
