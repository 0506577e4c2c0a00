"""Answers with the revision that this version was released for, the one of the database, and the number of orders."""

import json
import os
from collections.abc import Callable, Iterable

from sqlalchemy import create_engine, make_url, text

database = create_engine(make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+psycopg"), pool_pre_ping=True)


def answer(environ: dict[str, object], start: Callable[..., object]) -> Iterable[bytes]:
    """The application, as WSGI has it (PEP 3333)."""
    with database.connect() as connection:
        revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
        orders = connection.scalar(text("SELECT count(*) FROM orders"))
    start("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"released_for": os.environ["REVISION"], "database": revision, "orders": orders}).encode()]
