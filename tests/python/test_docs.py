"""Every Python example of the documentation, run from top to bottom in a folder of its own."""
import re

import pandas as pd
import pytest
from conftest import ROOT

PAGES = ["README.md", "docs/python.md", "docs/migrate_from_the_guide.md", "docs/migrate_from_to_sql.md"]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.M | re.S)


def address(postgres):
    """Our schema of the test server, as a URI."""
    joint = "&" if "?" in postgres.uri else "?"
    return f"{postgres.uri}{joint}options=-csearch_path%3D{postgres.schema},public"


@pytest.mark.parametrize("page", PAGES)
def test_examples(page, postgres, conn_params, tmp_path, monkeypatch, capsys):
    blocks = BLOCK.findall((ROOT / page).read_text())
    assert blocks
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame({"id": range(1000), "origin": ["ORD"] * 1000, "delay": [1.5] * 1000})
    frame.to_parquet("flights.parquet")
    names = {"df": frame, "conn_params": {**conn_params, "options": f"-c search_path={postgres.schema},public"}}
    for number, block in enumerate(blocks):
        code = block.replace("postgresql://me@localhost/travel", address(postgres))
        exec(compile(code, f"{page} block {number + 1}", "exec"), names)
    assert "flights" in postgres.relations() or "entity" in postgres.relations()
