"""Files in and out, by way of the server: it alone reads other products' files, and has the whole ledger."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from persplit.client.errors import Json
from persplit.client.signing_in import SigningIn
from persplit.ledger.errors import FieldError

IMPORT_SECONDS: Final = 90.0
"""For a file of megabytes over a slow line, and the second that the server takes for it."""
UPLOAD_SECONDS: Final = 150.0
"""For a photo of megabytes over a slow line; the server waits for two minutes."""
EXPORTS: Final = ("csv", "json", "pdf")
"""What a group can be exported as."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or would do where it was only looked at.

    `is_possible`: nothing of it is refused, else `errors` say what. `rows` and `people` are as the server tells them:
    `{row, status, reason, kind, description, date, amount, currency}` and `{key, name, match, userId, candidates}`.
    """

    group_id: str
    import_id: str
    format: str
    is_dry_run: bool
    is_possible: bool
    is_replayed: bool
    seq: int
    counts: Mapping[str, int]
    people: Sequence[Json]
    rows: Sequence[Json]
    errors: Sequence[FieldError]
    differences: Sequence[Json]
    remarks: Sequence[str]
    balances: Mapping[str, int]

    def refused_rows(self) -> list[int]:
        """The rows that errors name: what to leave out to have the rest."""
        named = {error.path.removeprefix("rows.") for error in self.errors if error.path.startswith("rows.")}
        return sorted(int(row) for row in named)


@dataclass(frozen=True, slots=True)
class PastImport:
    """An import that was carried out: when, RFC 3339 UTC, and by whose user id; and taken back, if it was."""

    import_id: str
    at: str
    by: str
    undone_at: str | None
    undone_by: str | None


class Files:
    """Sends and fetches files as who is signed in."""

    def __init__(self, signing_in: SigningIn) -> None:
        self._signing_in = signing_in

    async def send(
        self,
        group_id: str,
        text: str,
        *,
        format_: str,
        members: Mapping[str, str | None],
        skip: Sequence[int],
        dry_run: bool,
    ) -> ImportReport:
        """Import the text, or only look. Raises `Offline`, `Refused`."""
        meant = [
            {"key": key} if user_id is None else {"key": key, "userId": user_id}
            for key, user_id in members.items()
        ]
        body: Json = {
            "file": text,
            "format": format_,
            "members": meant,
            "skip": list(skip),
            "dryRun": dry_run,
        }
        path = f"/groups/{group_id}/import"
        return _report(await self._signing_in.ask("POST", path, body, seconds=IMPORT_SECONDS))

    async def imports(self, group_id: str) -> list[PastImport]:
        """The group's imports, newest first. Raises `Offline`, `Refused`."""
        found: list[PastImport] = []
        cursor: str | None = None
        while True:
            page = await self._signing_in.ask("GET", f"/groups/{group_id}/imports", cursor=cursor)
            found += [
                PastImport(it["importId"], it["at"], it["by"], it["undoneAt"], it["undoneBy"])
                for it in page["imports"]
            ]
            cursor = page["nextCursor"]
            if cursor is None:
                return found

    async def undo(self, group_id: str, import_id: str) -> bool:
        """Take an import back; whether there was anything left to take back. Raises `Offline`, `Refused`."""
        path = f"/groups/{group_id}/imports/{import_id}/undo"
        return not (await self._signing_in.ask("POST", path))["replayed"]

    async def fetch(self, group_id: str, kind: str, *, bom: bool) -> bytes:
        """The group as a file. Raises `Offline`, `Refused`."""
        query = {"bom": "true"} if bom else {}
        return await self._signing_in.download(f"/groups/{group_id}/export.{kind}", **query)


class Pictures:
    """Attachments, by way of the server: files aren't kept on this device."""

    def __init__(self, signing_in: SigningIn) -> None:
        self._signing_in = signing_in

    async def upload(self, group_id: str, body: bytes) -> str:
        """Give the group a picture or a PDF; its id there. Raises `Offline`, `Refused`."""
        path = f"/groups/{group_id}/attachments"
        return str((await self._signing_in.ask("POST", path, body, seconds=UPLOAD_SECONDS))["id"])

    async def attach(self, group_id: str, expense_id: str, attachment_id: str, name: str | None) -> None:
        """Attach what the group has to an expense. Raises `Offline`, `Refused`."""
        body = {"commandId": str(uuid.uuid4()), "attachmentId": attachment_id, "name": name}
        await self._signing_in.ask("POST", f"/groups/{group_id}/expenses/{expense_id}/attachments", body)

    async def fetch(self, group_id: str, attachment_id: str, *, thumbnail: bool) -> bytes:
        """A file of the group. Raises `Offline`, `Refused`."""
        query = {"thumbnail": "true"} if thumbnail else {}
        return await self._signing_in.download(f"/groups/{group_id}/attachments/{attachment_id}", **query)


def _report(answer: Json) -> ImportReport:
    return ImportReport(
        group_id=answer["groupId"],
        import_id=answer["importId"],
        format=answer["format"],
        is_dry_run=answer["dryRun"],
        is_possible=answer["possible"],
        is_replayed=answer["replayed"],
        seq=answer["seq"],
        counts=answer["counts"],
        people=answer["people"],
        rows=answer["rows"],
        errors=tuple(FieldError(error["path"], error["message"]) for error in answer["errors"]),
        differences=answer["differences"],
        remarks=answer["remarks"],
        balances={one["userId"]: one["amount"] for one in answer["balances"]},
    )
