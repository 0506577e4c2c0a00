"""Orders."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    orders = op.create_table("orders", sa.Column("id", sa.Integer, primary_key=True), sa.Column("product", sa.Text))
    op.bulk_insert(orders, [{"product": "tea"}, {"product": "books"}])


def downgrade() -> None:
    op.drop_table("orders")
