"""`pip install .` in a fresh environment, the script of the README, and the wheel for other machines."""
import os
import re
import subprocess
import sys
import zipfile

import pytest
from conftest import ROOT, sqlite_rows
from test_docs import BLOCK, address


def environment():
    """Ours, without what names the build tree; with the compiler of the other builds, whose cache serves this one too."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("HEADRACE_", "PYTHON"))}
    return {"CC": "cc", "CXX": "c++", **own}


def run(*command, **more):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=environment(), **more)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A new environment with headrace and what it needs, by pip."""
    folder = tmp_path_factory.mktemp("fresh")
    run(sys.executable, "-m", "venv", folder)
    run(folder / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check", ROOT, "pandas")
    return folder / "bin"


def test_readme_script_after_pip_install(fresh, postgres, tmp_path):
    (block,) = BLOCK.findall((ROOT / "README.md").read_text())
    (tmp_path / "script.py").write_text(block.replace("postgresql://me@localhost/travel", address(postgres)))
    out = run(fresh / "python", tmp_path / "script.py", cwd=tmp_path)
    assert "ok" in out
    assert postgres.count("flights") == len(sqlite_rows(tmp_path / "flights.sqlite", "flights")) == 1000
    assert "--input" in run(fresh / "parquet_to_sqlite", "--help")
    tags = run(fresh / "python", "-c", "import importlib.metadata as m; print(m.distribution('headrace').read_text('WHEEL'))")
    assert re.search(r"Tag: py3-none-linux_", tags)
    files = run(fresh / "python", "-m", "pip", "show", "-f", "headrace")
    assert "headrace/py.typed" in files and "libheadrace_c.so" in files and "libarrow" not in files


def test_wheel_for_other_machines(fresh, tmp_path):
    wheel = run(ROOT / "scripts" / "build_wheel.sh", tmp_path).strip()
    assert re.search(r"headrace-[0-9.]+-py3-none-manylinux_2_3[0-6]_\w+\.whl$", wheel)
    bundled = [name for name in zipfile.ZipFile(wheel).namelist() if "headrace.libs/" in name]
    assert any("libpq" in name for name in bundled) and any("libsqlite3" in name for name in bundled)
    run(fresh / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--force-reinstall", wheel)
    # Debian's libpq is not what is loaded.
    loaded = run(fresh / "python", "-c", "import headrace; print(open('/proc/self/maps').read())", cwd=tmp_path)
    libraries = {line.split()[-1] for line in loaded.splitlines() if re.search(r"lib(pq|sqlite3|fmt)\b", line)}
    assert libraries and all("headrace.libs" in path for path in libraries), libraries
    out = run(fresh / "python", "-c", "import headrace, pandas; print(headrace.load(pandas.DataFrame({'a': [1]}), 'x.db', 't'))",
              cwd=tmp_path)
    assert "1 written" in out
