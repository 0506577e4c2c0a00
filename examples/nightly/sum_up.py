"""Sums up one day in the database (yesterday, or the one that DAY names) and puts the report into the store."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import boto3
import psycopg

BINDINGS = Path(os.environ.get("SERVICE_BINDING_ROOT", "/bindings"))


def credentials(service: str) -> dict[str, str]:
    """What the service's binding holds: one file for each credential."""
    return {file.name: file.read_text() for file in (BINDINGS / service).iterdir() if file.is_file()}


def main() -> None:
    """One object for each day, whoever asks how often."""
    day = os.environ.get("DAY") or f"{datetime.now() - timedelta(days=1):%Y-%m-%d}"
    with psycopg.connect(credentials("database")["uri"]) as database:
        query = "SELECT product, sum(amount) FROM bookings WHERE day = %s GROUP BY product ORDER BY product"
        totals = database.execute(query, [day]).fetchall()
    report = "".join(f"{day},{product},{total}\n" for product, total in totals)
    of = credentials("store")
    keys = {f"aws_{name}": of[name] for name in ("access_key_id", "secret_access_key")}
    store = boto3.client("s3", endpoint_url=of["uri"], region_name=of["region"], **keys)
    store.put_object(Bucket=of["bucket"], Key=f"{day}.csv", Body=report.encode())
    print(f"{report}{day} total: {sum(total for _, total in totals)}, in {day}.csv")


main()
