"""How the Arrow-based peers read the Parquet file: pyarrow's dataset scanner, which decodes ahead on all cores."""
import pyarrow as pa
import pyarrow.dataset as ds


def reader(path):
    """The file as it is."""
    return ds.dataset(path).scanner().to_reader()


def is_text_in_sqlite(arrow_type):
    return (pa.types.is_decimal(arrow_type) or pa.types.is_date(arrow_type)
            or pa.types.is_timestamp(arrow_type) or pa.types.is_time(arrow_type))


def sqlite_reader(path):
    """The file with the types SQLite's clients refuse (decimals, dates) cast to text, inside the scanner's threads."""
    dataset = ds.dataset(path)
    columns = {}
    for field in dataset.schema:
        column = ds.field(field.name)
        if is_text_in_sqlite(field.type) or pa.types.is_string_view(field.type):
            column = column.cast(pa.string())
        columns[field.name] = column
    return dataset.scanner(columns=columns).to_reader()
