"""One step of the three: `extract DAY`, `transform OBJECT`, `load OBJECT`. Each can be repeated."""

import csv
import io
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import boto3
import psycopg

BINDINGS = Path(os.environ.get("SERVICE_BINDING_ROOT", "/bindings"))
RESULTS = Path(os.environ.get("KF_RESULTS", "/tmp"))


def credentials(service: str) -> dict[str, str]:
    """What the service's binding holds: one file for each credential."""
    return {file.name: file.read_text() for file in (BINDINGS / service).iterdir() if file.is_file()}


def bucket() -> Any:
    """The bucket of the bound store."""
    of = credentials("store")
    keys = {f"aws_{name}": of[name] for name in ("access_key_id", "secret_access_key")}
    return boto3.resource("s3", endpoint_url=of["uri"], region_name=of["region"], **keys).Bucket(of["bucket"])


def extract(day: str) -> None:
    """The orders of a day, as PostgreSQL copies them out, into an object."""
    name = f"orders/{day}.csv"
    query = "SELECT day, product, amount FROM orders WHERE day = %s ORDER BY id"
    with (
        psycopg.connect(credentials("database")["uri"]) as database,
        database.cursor() as cursor,
        tempfile.TemporaryFile() as file,
    ):
        with cursor.copy(f"COPY ({query}) TO STDOUT WITH (FORMAT csv, HEADER)", [day]) as rows:
            for block in rows:
                file.write(block)
        number = cursor.rowcount
        file.seek(0)
        bucket().upload_fileobj(file, name)
    (RESULTS / "object").write_text(name)
    (RESULTS / "rows").write_text(str(number))
    print(f"extracted {number} orders of {day} to {name}")


def transform(name: str) -> None:
    """The sum of each product, into another object."""
    totals: Counter[tuple[str, str]] = Counter()
    for row in csv.DictReader(io.StringIO(bucket().Object(name).get()["Body"].read().decode())):
        totals[row["day"], row["product"]] += int(row["amount"])
    out = io.StringIO()
    csv.writer(out).writerows((*key, total) for key, total in sorted(totals.items()))
    target = name.replace("orders/", "totals/", 1)
    bucket().put_object(Key=target, Body=out.getvalue().encode())
    (RESULTS / "object").write_text(target)
    (RESULTS / "total").write_text(str(totals.total()))
    print(f"summed up {len(totals)} products, in all {totals.total()}, to {target}")


def load(name: str) -> None:
    """The sums into their table, in one transaction: those of the same day are replaced."""
    text = bucket().Object(name).get()["Body"].read()
    with psycopg.connect(credentials("database")["uri"]) as database, database.cursor() as cursor:
        cursor.execute("DELETE FROM totals WHERE day = %s", [Path(name).stem])
        with cursor.copy("COPY totals (day, product, total) FROM STDIN WITH (FORMAT csv)") as rows:
            rows.write(text)
        cursor.execute("SELECT product, total FROM totals WHERE day = %s ORDER BY product", [Path(name).stem])
        for product, total in cursor:
            print(f"loaded {product}: {total}")


if __name__ == "__main__":
    {"extract": extract, "transform": transform, "load": load}[sys.argv[1]](sys.argv[2])
