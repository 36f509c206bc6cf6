"""links know their address

Why: an address is changed by a link that is mailed to the new one; and a mail may be asked for by
address alone, before anybody looks whether there is an account.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "mail_links", sa.Column("email", sa.String(length=254), server_default="", nullable=False)
    )
    fill()
    # Nothing refers to mails: on SQLite the table can be rebuilt without losing anything.
    with op.batch_alter_table("mails") as batch_op:
        batch_op.alter_column("user_id", existing_type=sa.String(length=36), nullable=True)


def fill() -> None:
    """Until now links were mailed to the account's own address."""
    users = sa.table("users", sa.column("id"), sa.column("email"))
    links = sa.table("mail_links", sa.column("user_id"), sa.column("email"))
    theirs = sa.select(users.c.email).where(users.c.id == links.c.user_id).scalar_subquery()
    op.execute(links.update().values(email=sa.func.coalesce(theirs, "")))


def downgrade() -> None:
    mails = sa.table("mails", sa.column("user_id"))
    op.execute(mails.delete().where(mails.c.user_id.is_(None)))
    with op.batch_alter_table("mails") as batch_op:
        batch_op.alter_column("user_id", existing_type=sa.String(length=36), nullable=False)
    op.drop_column("mail_links", "email")
