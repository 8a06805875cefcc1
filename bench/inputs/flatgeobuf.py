"""The Parquet file as FlatGeobuf, GDAL's fastest format, in the same order. usage: flatgeobuf.py SOURCE OUT"""
import os
import sys

import pyarrow.parquet as pq
import pyogrio

source, out = sys.argv[1:3]
made = out + ".fgb"  # GDAL goes by the ending
table = pq.read_table(source)
pyogrio.write_arrow(table, made, driver="FlatGeobuf", geometry_name="geom", geometry_type="Unknown", crs="EPSG:4326",
                    SPATIAL_INDEX="NO")
os.replace(made, out)
