"""Passwords are in no output, and not in the process list."""

import pathlib

import pytest
from conftest import PG, PG_PASSWORD, PG_TCP, finish_fed, headrace, start_fed, wait_until

SECRET = "correct-horse-battery"

URI_WITH_SECRET = [
    f"postgresql://someone:{SECRET}@127.0.0.1:1/db",
    f"postgres://someone:{SECRET}@127.0.0.1:1/db?connect_timeout=2",
    f"postgresql://someone@127.0.0.1:1/db?password={SECRET}",
    f"postgresql://127.0.0.1:1/db?user=someone&password={SECRET}&connect_timeout=2",
    f"host=127.0.0.1 port=1 user=someone password={SECRET}",
    f"host=127.0.0.1 port=1 password = '{SECRET}' user=someone",
    # what libpq does not understand, and repeats in its message
    f"postgresql://someone:{SECRET}@[::1/db",
    f"postgresql://someone:{SECRET}@127.0.0.1:port/db",
    f"postgresql://someone:{SECRET}/more@127.0.0.1:1/db",
    f"postgresql://someone:at@{SECRET}@127.0.0.1:1/db",
    f"host=127.0.0.1 port=1 password={SECRET} colour=red",
    f"host=127.0.0.1 port=1 password='{SECRET}",
]


@pytest.mark.parametrize("target", URI_WITH_SECRET)
@pytest.mark.parametrize("command", [["load"], ["load", "--json"], ["plan"], ["load", "--dry-run"]])
def test_failures_do_not_tell_the_password(orders, target, command):
    done = headrace(*command, orders, "--to", target, "--table", "t")
    assert done.code != 0
    assert SECRET not in done.out + done.err, done
    assert "process list" in done.err  # the warning


@pytest.mark.parametrize("target", URI_WITH_SECRET)
@pytest.mark.parametrize("command", ["check", "gc"])
def test_failures_without_a_source_do_not_tell_the_password(target, command):
    for json in [], ["--json"]:
        done = headrace(command, "--to", target, *json)
        assert done.code in (2, 4), done
        assert SECRET not in done.out + done.err, done


@pytest.mark.parametrize("target", URI_WITH_SECRET)
def test_usage_errors_do_not_tell_the_password(orders, target):
    for arguments in ["--too", target], [f"--too={target}"], ["--to", target, "--mode", target]:
        done = headrace("load", orders, *arguments, "--json")
        assert done.code == 2
        assert SECRET not in done.out + done.err, done


def test_environment_needs_no_warning(orders):
    done = headrace("load", orders, env={"HEADRACE_TO": URI_WITH_SECRET[0]})
    assert done.code == 4, done
    assert SECRET not in done.out + done.err
    assert "process list" not in done.err


@pytest.mark.usefixtures("tcp")
@pytest.mark.parametrize("json", [[], ["--json"]])
def test_successful_load_does_not_tell_the_password(orders, postgres, json):
    table = f"{postgres.schema}.t"
    given = headrace("load", orders, "--to", f"{PG_TCP} password={PG_PASSWORD}", "--table", table, *json)
    found = headrace("load", orders, "--to", PG_TCP, "--table", table, "--mode", "append", *json,
                     env={"PGPASSWORD": PG_PASSWORD})
    plan = headrace("plan", orders, "--to", f"{PG_TCP} password={PG_PASSWORD}", "--table", table, "--mode", "append",
                    *json)
    for done in given, found, plan:
        assert done.code == 0, done
        assert PG_PASSWORD not in done.out + done.err
    assert "process list" in given.err and "process list" not in found.err
    assert postgres.count("t") == 2000


@pytest.mark.files
@pytest.mark.usefixtures("tcp")
@pytest.mark.parametrize("joined", [True, False])
def test_process_list_does_not_show_the_password(postgres, joined):
    target = f"{PG_TCP} password={PG_PASSWORD}"
    process, feed = start_fed(*([f"--to={target}"] if joined else ["--to", target]), "--table", f"{postgres.schema}.t")
    wait_until(lambda: feed.batches > 50)
    command_line = pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes()
    process.terminate()
    finish_fed(process)
    assert PG_PASSWORD.encode() not in command_line
    assert b" password=***" in command_line and b"--table" in command_line


@pytest.mark.files
@pytest.mark.parametrize("password", ["it's-correct-horse", 'a "correct-horse', "a correct-horse"])
@pytest.mark.parametrize("form", ["postgresql://{role}:{password}@127.0.0.1:{port}/{db}",
                                  "postgresql://{role}@127.0.0.1:{port}/{db}?p%61ssword={password}"])
def test_process_list_does_not_show_a_password_with_blanks_and_quotes(postgres, tcp, role, password, form):
    name, _ = role
    words = dict(word.split("=", 1) for word in tcp[0].split())
    quoted = password.replace("'", "''")
    postgres.execute(f"ALTER ROLE {name} PASSWORD '{quoted}'; GRANT CREATE ON SCHEMA {postgres.schema} TO {name}")
    target = form.format(role=name, password=password, port=words["port"], db=words["dbname"])
    process, feed = start_fed("--to", target, "--table", f"{postgres.schema}.t")
    wait_until(lambda: feed.batches > 50)
    command_line = pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes()
    process.terminate()
    finish_fed(process)
    assert b"correct-horse" not in command_line and b"***" in command_line


@pytest.mark.files
@pytest.mark.usefixtures("postgres")
def test_server_does_not_show_the_password(postgres):
    process, feed = start_fed("--to", f"{PG_TCP} password={PG_PASSWORD}", "--table", f"{postgres.schema}.t")
    wait_until(lambda: feed.batches > 50)
    rows = postgres.execute(
        "SELECT application_name, query FROM pg_stat_activity WHERE application_name LIKE 'headrace%'")
    process.terminate()
    finish_fed(process)
    assert rows
    assert PG_PASSWORD not in str(rows)
