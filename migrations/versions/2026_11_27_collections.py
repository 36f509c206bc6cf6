"""collections

Why: people keep texts of their own, share them and look for those of others.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

WORD = sa.String(length=32).with_variant(sa.String(length=32, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "collections",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("description", sa.String(length=500), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("tags", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("visibility", sa.String(length=8), nullable=False),
        sa.Column("secret", sa.String(length=32), nullable=True),
        sa.Column("texts", sa.Integer(), nullable=False),
        sa.Column("chars", sa.Integer(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("published_at_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_collections_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collections")),
    )
    op.create_index("ix_collections_owner", "collections", ["user_id", "created_at_ms", "id"])
    op.create_index("ix_collections_public", "collections", ["visibility", "published_at_ms", "id"])
    op.create_index(
        "ix_collections_language",
        "collections",
        ["visibility", "language", "published_at_ms", "id"],
    )
    op.create_table(
        "collection_texts",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("collection_id", sa.String(length=36), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("tags", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["collections.id"],
            name=op.f("fk_collection_texts_collection_id_collections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collection_texts")),
    )
    op.create_index(
        "uq_collection_texts_n", "collection_texts", ["collection_id", "n"], unique=True
    )
    op.create_table(
        "collection_words",
        sa.Column("word", WORD, nullable=False),
        sa.Column("collection_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["collections.id"],
            name=op.f("fk_collection_words_collection_id_collections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("word", "collection_id", name=op.f("pk_collection_words")),
    )
    op.create_index(
        op.f("ix_collection_words_collection_id"), "collection_words", ["collection_id"]
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_collection_words_collection_id"), "collection_words")
    op.drop_table("collection_words")
    op.drop_index("uq_collection_texts_n", "collection_texts")
    op.drop_table("collection_texts")
    op.drop_index("ix_collections_language", "collections")
    op.drop_index("ix_collections_public", "collections")
    op.drop_index("ix_collections_owner", "collections")
    op.drop_table("collections")
