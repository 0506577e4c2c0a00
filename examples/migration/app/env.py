"""How Alembic reaches the bound database: each migration in a transaction, so that those before a failed one stay."""

import os
from logging.config import fileConfig

from alembic import context
from sqlalchemy import create_engine, make_url

fileConfig(context.config.config_file_name or "alembic.ini", disable_existing_loggers=False)
engine = create_engine(make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+psycopg"))
with engine.connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
