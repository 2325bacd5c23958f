"""Walking through everything that a store has, a page at a time."""

from collections.abc import AsyncIterator
from typing import Final

from persplit.service.ports import Document, Documents, EventStore, Files

PAGE: Final = 500
"""Events or documents read at once: a few megabytes at most."""


async def group_ids(store: EventStore) -> AsyncIterator[str]:
    """The ids of all groups, in order."""
    after = ""
    while page := await store.groups(after, PAGE):
        for group_id in page:
            yield group_id
        after = page[-1]


async def scanned(documents: Documents) -> AsyncIterator[Document]:
    """All documents of a collection, in order of id."""
    after = ""
    while page := await documents.scan(after, PAGE):
        for document in page:
            yield document
        after = page[-1].id


async def file_ids(files: Files) -> AsyncIterator[str]:
    """The ids of all contents, in order."""
    after = ""
    while page := await files.scan(after, PAGE):
        for id_ in page:
            yield id_
        after = page[-1]
