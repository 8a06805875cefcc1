"""Connection parameters as a dict, in the words of libpq, pg8000, psycopg and JDBC secrets, as libpq's keyword string."""
from __future__ import annotations

import contextlib
import os
import ssl
import tempfile
from typing import Any, Dict, Iterator, Mapping, Optional

from ._errors import UsageError

# Further words -> libpq's word. Others are handed on: libpq refuses what it does not know.
_WORDS = {
    "username": "user",
    "database": "dbname", "db": "dbname", "db_name": "dbname", "dbName": "dbname", "db_database": "dbname",
    "unix_sock": "host",  # pg8000: the socket itself
    "timeout": "connect_timeout",  # pg8000, in seconds
    "application": "application_name",
}
# pg8000's words that say how its own client works, and what secrets hold beside the connection.
_WITHOUT_MEANING = {"source_address", "startup_params", "replication", "engine", "driver", "dbInstanceIdentifier",
                    "dbClusterIdentifier", "masterarn"}


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _socket(words: Dict[str, str]) -> None:
    """pg8000 takes the path of a socket (/run/postgresql/.s.PGSQL.5432), libpq its folder and port."""
    folder, name = os.path.split(words["host"])
    if name.startswith(".s.PGSQL."):
        words["host"] = folder
        words.setdefault("port", name[len(".s.PGSQL."):])


def _flag(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)


class _Tls:
    """pg8000's ssl_context as libpq's sslmode and sslrootcert."""

    def __init__(self, context: Any) -> None:
        self.words: Dict[str, str] = {}
        self._file: Optional[str] = None
        if context is None:
            return
        if context is False:
            self.words["sslmode"] = "disable"
        elif context is True:
            self._verify(ssl.create_default_context())
        elif isinstance(context, ssl.SSLContext):
            self._verify(context)
        else:
            raise UsageError("ssl_context is neither a bool nor an ssl.SSLContext")

    def _verify(self, context: ssl.SSLContext) -> None:
        if context.verify_mode == ssl.CERT_NONE:
            self.words["sslmode"] = "require"
            return
        self.words["sslmode"] = "verify-full" if context.check_hostname else "verify-ca"
        authorities = context.get_ca_certs(binary_form=True)
        if authorities:
            handle, self._file = tempfile.mkstemp(prefix="headrace-ca-", suffix=".pem")
            with os.fdopen(handle, "w") as out:
                out.writelines(ssl.DER_cert_to_PEM_cert(der) for der in authorities)
            self.words["sslrootcert"] = self._file
            return
        paths = ssl.get_default_verify_paths()
        for path in (paths.cafile, paths.openssl_cafile, "/etc/ssl/certs/ca-certificates.crt"):
            if path and os.path.exists(path):
                self.words["sslrootcert"] = path
                return
        raise UsageError("the certificate is to be verified, but this system has no list of authorities",
                         hint="give sslrootcert, or a context with load_verify_locations()")

    def close(self) -> None:
        if self._file is not None:
            os.unlink(self._file)


def _words(params: Mapping[str, Any]) -> Dict[str, str]:
    words: Dict[str, str] = {}
    for name, value in params.items():
        word = _WORDS.get(name, name)
        if value is None or word in _WITHOUT_MEANING or word in ("ssl_context", "tcp_keepalive"):
            continue
        text = value.decode() if isinstance(value, bytes) else _flag(name, value)
        if "\0" in text:
            raise UsageError(f"{name} of the connection parameters holds a NUL byte")
        if words.get(word, text) != text:
            raise UsageError(f"the connection parameters say {word} twice, differently")
        words[word] = text
    if "tcp_keepalive" in params and params["tcp_keepalive"] is not None:
        words["keepalives"] = _flag("tcp_keepalive", bool(params["tcp_keepalive"]))
    if "connect_timeout" in words:
        words["connect_timeout"] = str(max(2, round(float(words["connect_timeout"]))))  # libpq's least
    if words.get("host", "").startswith("/"):
        _socket(words)
    return words


@contextlib.contextmanager
def target_of(to: Any) -> Iterator[str]:
    """The target as the library takes it: a string as it is, a path, or a dict of connection parameters.

    REQUIRES: the load is over when the context ends; a file of certificates is removed then.
    """
    if not isinstance(to, Mapping):
        yield os.fspath(to)
        return
    tls = _Tls(to.get("ssl_context"))
    try:
        words = {**_words(to), **tls.words}
        yield " ".join(f"{word}={_quoted(value)}" for word, value in words.items())
    finally:
        tls.close()
