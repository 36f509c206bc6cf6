"""The rows of collections and their texts."""

from typing import Any

from sqlalchemy import Column, ForeignKey, Index, String
from sqlmodel import Field

from server.db.tables import Row, at_ms, json_value

# Compared byte by byte in either store, so that all words that begin alike stand together.
WORD = String(32).with_variant(String(32, collation="C"), "postgresql")


class CollectionRow(Row, table=True):
    """Somebody's collection. `texts` and `chars` count what is in it, in the same transactions.

    `secret` opens it to whoever has its link; `published_at_ms` is when it first was public.
    """

    __tablename__ = "collections"
    __table_args__ = (
        Index("ix_collections_owner", "user_id", "created_at_ms", "id"),
        Index("ix_collections_public", "visibility", "published_at_ms", "id"),
        Index("ix_collections_language", "visibility", "language", "published_at_ms", "id"),
    )

    id: str = Field(primary_key=True, max_length=36)
    user_id: str = Field(foreign_key="users.id", ondelete="CASCADE", max_length=36)
    name: str = Field(max_length=80)
    description: str = Field(max_length=500)
    language: str | None = Field(default=None, max_length=16)
    tags: list[str] = json_value()
    visibility: str = Field(max_length=8)
    secret: str | None = Field(default=None, max_length=32)
    texts: int
    chars: int
    created_at_ms: int = at_ms()
    updated_at_ms: int = at_ms()
    published_at_ms: int | None = at_ms(nullable=True)


class CollectionTextRow(Row, table=True):
    """A text of a collection, the `n`th that was put there; `length` in graphemes."""

    __tablename__ = "collection_texts"
    __table_args__ = (Index("uq_collection_texts_n", "collection_id", "n", unique=True),)

    id: str = Field(primary_key=True, max_length=36)
    collection_id: str = Field(foreign_key="collections.id", ondelete="CASCADE", max_length=36)
    n: int
    title: str = Field(max_length=120)
    text: str
    length: int
    tags: list[str] = json_value()
    created_at_ms: int = at_ms()
    updated_at_ms: int = at_ms()


class CollectionWordRow(Row, table=True):
    """A word by which a public collection is found."""

    __tablename__ = "collection_words"

    word: str = Field(sa_column=Column(WORD, primary_key=True))
    collection_id: Any = Field(
        sa_column=Column(
            String(36),
            ForeignKey("collections.id", ondelete="CASCADE"),
            primary_key=True,
            index=True,
        )
    )
