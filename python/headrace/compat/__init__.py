"""The interface of the PySpark + JDBC writer that headrace replaces: change the import, keep the calls."""
