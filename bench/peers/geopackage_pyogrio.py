"""pyogrio: Arrow batches into GDAL's GeoPackage driver. usage: geopackage_pyogrio.py SOURCE OUT TABLE"""
import sys

import pyarrow.parquet as pq
import pyogrio

source, out, table = sys.argv[1:4]
pyogrio.set_gdal_config_options({"OGR_SQLITE_SYNCHRONOUS": "OFF", "OGR_SQLITE_JOURNAL": "OFF", "OGR_SQLITE_CACHE": "512"})
pyogrio.write_arrow(pq.read_table(source), out, layer=table, driver="GPKG", geometry_name="geom", geometry_type="Unknown",
                    crs="EPSG:4326")
