"""What the tests of transactions share: a table, its rows as values, and a thread of its own for a call."""

import threading

import pyarrow as pa

ROWS = pa.table({"id": [1, 2, 3, 4], "k": ["a", "b", "a", None]})


def rows(result):
    table = result.to_arrow()
    return sorted(zip(*(column.to_pylist() for column in table.columns), strict=True), key=repr)


def ids(bench, table="t"):
    return [row[0] for row in rows(bench.kadeql(f"SELECT id FROM {table}"))]


def in_thread(work):
    """What `work` gives, or raises, in a thread of its own."""
    found = []

    def run():
        try:
            found.append(work())
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    return found[0]
