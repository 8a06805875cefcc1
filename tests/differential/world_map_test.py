"""Real geometries: the layers of world_map.gpkg are loaded, written back in three forms, and read by others.

The geometries that GDAL wrote into that file are compared with ours byte by byte, in a GeoPackage, as WKB, and in
PostGIS; in SpatiaLite by SpatiaLite's own reading.
"""
import os
import pathlib
import sqlite3
import struct
import subprocess
from contextlib import closing

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest



def from_environment(name):
    value = os.environ.get(name)
    assert value, f"{name} is not set: run the tests by `make test`"
    return value


CLI = from_environment("HEADRACE_CLI")
MAP = pathlib.Path(from_environment("HEADRACE_TEST_DATA")) / "world_map.gpkg"
LAYERS = {"states_provinces": 4556, "countries": 240, "disputed_borders": 46}
ENVELOPE_BYTES = (0, 32, 48, 48, 64)


def rows(path, sql, *parameters):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql, parameters).fetchall()


def wkb_of(blob):
    """The WKB in a GeoPackage blob, by the standard's table."""
    assert blob[:2] == b"GP" and blob[3] & 1
    return blob[8 + ENVELOPE_BYTES[blob[3] >> 1 & 7]:]


def envelope_of(blob):
    assert blob[3] >> 1 & 7 == 1
    return struct.unpack("<4d", blob[8:40])


@pytest.fixture(scope="module", params=LAYERS)
def layer(request, tmp_path_factory):
    assert MAP.exists(), f"{MAP}: scripts/fetch_data.sh world-map"
    features = rows(MAP, f"SELECT fid, geom FROM {request.param} ORDER BY fid")
    assert len(features) == LAYERS[request.param]
    path = tmp_path_factory.mktemp("map") / "layer.parquet"
    table = pa.table({"fid": pa.array([fid for fid, _ in features], pa.int64()),
                      "geom": pa.array([wkb_of(blob) for _, blob in features], pa.binary())})
    pq.write_table(table, path, row_group_size=500)
    return request.param, features, path


def load(source, target, *more):
    done = subprocess.run([CLI, "load", source, "--to", target, "--table", "layer", "--progress", "none", "--json", *more],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_geopackage(layer, tmp_path):
    name, features, source = layer
    target = tmp_path / "a.gpkg"
    load(source, target)
    ours = rows(target, "SELECT fid, geom FROM layer ORDER BY fid")
    assert [(fid, wkb_of(blob)) for fid, blob in ours] == [(fid, wkb_of(blob)) for fid, blob in features]
    assert [envelope_of(blob) for _, blob in ours] == [envelope_of(blob) for _, blob in features]
    assert rows(target, "SELECT rtreecheck('rtree_layer_geom')") == [("ok",)] == rows(target, "PRAGMA integrity_check")
    # Boxes of floats around the envelopes, and within the boxes that SQLite makes, which rounds by more than it has to.
    boxes = "SELECT id, minx, maxx, miny, maxy FROM {} ORDER BY id"
    theirs = rows(MAP, boxes.format(f"rtree_{name}_geom"))
    tight = rows(target, boxes.format("rtree_layer_geom"))
    assert [fid for fid, *_ in tight] == [fid for fid, *_ in theirs] == [fid for fid, _ in features]
    for (_, *box), (_, *wide), (_, blob) in zip(tight, theirs, features):
        exact = envelope_of(blob)
        assert wide[0] <= box[0] <= exact[0] and exact[1] <= box[1] <= wide[1]
        assert wide[2] <= box[2] <= exact[2] and exact[3] <= box[3] <= wide[3]
    all_of = list(zip(*(envelope_of(blob) for _, blob in features)))
    assert rows(target, "SELECT min_x, max_x, min_y, max_y FROM gpkg_contents") == [
        (min(all_of[0]), max(all_of[1]), min(all_of[2]), max(all_of[3]))]


def test_gdal_finds_the_geopackage_valid(layer, tmp_path):
    _, features, source = layer
    target = tmp_path / "a.gpkg"
    load(source, target)
    done = subprocess.run(["/usr/bin/python3", "-m", "osgeo_utils.samples.validate_gpkg", "--extra", "--warning-as-error", target],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    done = subprocess.run(["ogrinfo", "-so", target, "layer"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and f"Feature Count: {len(features)}" in done.stdout and 'ID["EPSG",4326]' in done.stdout
    # Written back by GDAL from our file: still the same geometries.
    back = tmp_path / "back.gpkg"
    subprocess.run(["ogr2ogr", "-f", "GPKG", back, target, "layer"], check=True, capture_output=True, timeout=120)
    assert [(fid, wkb_of(blob)) for fid, blob in rows(back, "SELECT fid, geom FROM layer ORDER BY fid")] == [
        (fid, wkb_of(blob)) for fid, blob in features]


def test_a_damaged_geopackage_is_found_invalid(layer, tmp_path):
    """That the validity check can fail."""
    target = tmp_path / "a.gpkg"
    load(layer[2], target)
    with closing(sqlite3.connect(target)) as connection:
        connection.execute("UPDATE gpkg_geometry_columns SET srs_id = 1234")
        connection.commit()
    done = subprocess.run(["/usr/bin/python3", "-m", "osgeo_utils.samples.validate_gpkg", target], capture_output=True, timeout=120)
    assert done.returncode != 0


def test_wkb(layer, tmp_path):
    _, features, source = layer
    load(source, tmp_path / "a.sqlite", "--geometry", "wkb")
    assert rows(tmp_path / "a.sqlite", "SELECT fid, geom FROM layer ORDER BY fid") == [(fid, wkb_of(blob)) for fid, blob in features]


def test_spatialite(layer, tmp_path):
    _, features, source = layer
    target = tmp_path / "a.sqlite"
    load(source, target, "--geometry", "spatialite")
    done = subprocess.run(["sqlite3", "-bail", target, "SELECT load_extension('mod_spatialite')",
                           "SELECT CheckSpatialIndex('layer', 'geom')", "SELECT hex(ST_AsBinary(geom)) FROM layer ORDER BY fid"],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    said = done.stdout.strip().splitlines()
    assert said[0] == "1"
    assert [bytes.fromhex(line) for line in said[1:]] == [wkb_of(blob) for _, blob in features]


def test_postgis(layer):
    _, features, source = layer
    server = from_environment("HEADRACE_TEST_PG")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS postgis; DROP TABLE IF EXISTS layer; "
                           "CREATE TABLE layer (fid bigint, geom geometry(Geometry, 4326))")
        try:
            load(source, server, "--mode", "append")
            got = connection.execute("SELECT fid, ST_AsBinary(geom, 'NDR') FROM layer ORDER BY fid").fetchall()
            assert [(fid, bytes(geom)) for fid, geom in got] == [(fid, wkb_of(blob)) for fid, blob in features]
            assert connection.execute("SELECT DISTINCT ST_SRID(geom) FROM layer").fetchall() == [(4326,)]
        finally:
            connection.execute("DROP TABLE layer")
