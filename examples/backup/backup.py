"""Backs up the bound database to the bound store, or restores a backup beside the database and compares them.

Nothing is kept on the task's disk: the dump goes through a pipe, in parts of a few MB.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import psycopg
from psycopg import sql

BINDINGS = Path(os.environ.get("SERVICE_BINDING_ROOT", "/bindings"))
COPY = "shop_restored"


def credentials(service: str) -> dict[str, str]:
    """What the service's binding holds: one file for each credential."""
    return {file.name: file.read_text() for file in (BINDINGS / service).iterdir() if file.is_file()}


def bucket() -> Any:
    """The bucket of the bound store."""
    of = credentials("store")
    keys = {f"aws_{name}": of[name] for name in ("access_key_id", "secret_access_key")}
    return boto3.resource("s3", endpoint_url=of["uri"], region_name=of["region"], **keys).Bucket(of["bucket"])


def backup(uri: str, name: str) -> None:
    """Dumps the database into an object; one that is not complete is never there."""
    with subprocess.Popen(["pg_dump", "--format=custom", uri], stdout=subprocess.PIPE) as dump:
        bucket().upload_fileobj(dump.stdout, f"{name}.part")
    if dump.returncode:
        sys.exit(f"pg_dump failed: exit code {dump.returncode}")
    whole = bucket().Object(name)
    whole.copy({"Bucket": whole.bucket_name, "Key": f"{name}.part"})
    bucket().Object(f"{name}.part").delete()
    print(f"stored {name}: {whole.content_length} bytes")


def verify(uri: str, name: str) -> None:
    """Restores an object into a database of its own, and compares every table with the one that it was made of."""
    with psycopg.connect(uri, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {COPY}")
        server.execute(f"CREATE DATABASE {COPY}")
        try:
            restored = psycopg.conninfo.make_conninfo(uri, dbname=COPY)
            restore = ["pg_restore", "--exit-on-error", "--no-owner", "--dbname", restored]
            with subprocess.Popen(restore, stdin=subprocess.PIPE) as process:
                bucket().download_fileobj(name, process.stdin)
            if process.returncode:
                sys.exit(f"pg_restore failed: exit code {process.returncode}")
            with psycopg.connect(restored) as copy:
                compare(tables(server), tables(copy))
        finally:
            server.execute(f"DROP DATABASE IF EXISTS {COPY} WITH (FORCE)")


def tables(database: psycopg.Connection[Any]) -> dict[str, tuple[int, str]]:
    """Number of rows and a digest of them for each table."""
    names = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
    query = sql.SQL("SELECT count(*), coalesce(md5(string_agg(t::text, chr(10) ORDER BY t::text)), '') FROM {} AS t")
    found = {name: database.execute(query.format(sql.Identifier("public", name))).fetchone() for [name] in names}
    return {name: row for name, row in found.items() if row}


def compare(ours: dict[str, tuple[int, str]], restored: dict[str, tuple[int, str]]) -> None:
    """Says what is equal; ends the task if anything is not."""
    for name in sorted(ours.keys() | restored.keys()):
        if ours.get(name) != restored.get(name):
            sys.exit(f"{name} differs: {ours.get(name)} in the database, {restored.get(name)} in the backup")
        print(f"{name}: {ours[name][0]} rows restored, equal")


if __name__ == "__main__":
    action, name = sys.argv[1:3]
    {"backup": backup, "verify": verify}[action](credentials("database")["uri"], name)
