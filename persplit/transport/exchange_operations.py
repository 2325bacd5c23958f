"""Files in and out: other products' into a group, a group's to a table, a document or a statement."""

import asyncio
import re
from typing import TYPE_CHECKING, Final

import orjson

from persplit.exchange.book import Format
from persplit.service.exporting import Whole
from persplit.service.importing import Imported, ImportOrder
from persplit.service.statements import statement_of
from persplit.transport import requests as r
from persplit.transport import views
from persplit.transport.fields import FOUND_OUT, cursor_of
from persplit.transport.limits import Budget
from persplit.transport.operations import Answers, Call, Operation, Services
from persplit.transport.views import Json

if TYPE_CHECKING:
    # Loaded with the first file: a start does without.
    from persplit.exchange.planning import Difference, ImportPlan
    from persplit.exchange.rows import Row

exchange_results: Final = Answers("exchange_results")

IMPORT_BODY_BYTES_MAX: Final = 12 * 1024 * 1024
"""The longest file, in UTF-8 and escaped as JSON text, unless it is mostly of other than Latin letters."""
IMPORT_SECONDS_MAX: Final = 60.0
"""For a file of the largest size on a small machine that is busy. It takes a second or two on one that isn't."""
_NAME_LENGTH_MAX: Final = 40


async def _import(services: Services, call: Call, request: r.ImportFile) -> Json:
    services.limits.check(Budget.IMPORTS, call.user_id)
    order = ImportOrder(
        group_id=request.group_id,
        actor_id=call.user_id,
        text=request.file,
        format=None if request.format == FOUND_OUT else Format(request.format),
        members={person.key: person.user_id for person in request.members},
        skip=request.skip,
    )
    if request.dry_run:
        return _report(await services.importing.look(order))
    return _report(await services.importing.carry_out(order))


async def _imports(services: Services, call: Call, request: r.ListImports) -> Json:
    found = await services.importing.imports(request.group_id, call.user_id)
    before = int(request.cursor) if request.cursor else None
    left = [it for it in found if before is None or it.recorded.seq < before]
    page = left[: request.limit]
    return {
        "imports": [
            {
                "importId": it.import_id,
                "at": it.recorded.at,
                "by": it.recorded.by,
                "undoneAt": it.undone.at if it.undone else None,
                "undoneBy": it.undone.by if it.undone else None,
            }
            for it in page
        ],
        "nextCursor": cursor_of(page[-1].recorded.seq) if len(left) > len(page) else None,
    }


async def _undo(services: Services, call: Call, request: r.UndoImport) -> Json:
    recorded = await services.importing.undo(request.group_id, call.user_id, request.import_id)
    return {
        "groupId": request.group_id,
        "importId": request.import_id,
        "seq": recorded.state.seq,
        "replayed": not recorded.events,
    }


def _report(imported: Imported) -> Json:
    """What the import did, or would do."""
    from persplit.exchange.rows import Status  # noqa: PLC0415 - loaded by the import

    plan, recorded = imported.plan, imported.recorded
    state = plan.state if recorded is None else recorded.state
    return {
        "groupId": state.group_id,
        "importId": plan.import_id,
        "format": plan.format.value,
        "dryRun": recorded is None,
        "possible": not plan.refusals,
        "seq": state.seq if recorded else state.seq - len(plan.steps),
        "replayed": recorded is not None and not recorded.events,
        "counts": {status.value: sum(1 for row in plan.rows if row.status is status) for status in Status},
        "people": _people(plan),
        "rows": [_row(row) for row in plan.rows],
        "errors": [{"path": error.path, "message": error.message} for error in plan.refusals],
        "differences": [_difference(one) for one in plan.differences],
        "remarks": list(plan.remarks),
        "balances": [{"userId": user_id, "amount": amount} for user_id, amount in state.balances.items()],
    }


def _people(plan: "ImportPlan") -> list[Json]:
    return [
        {
            "key": match.person.key,
            "name": match.person.name,
            "match": match.kind.value,
            "userId": match.user_id,
            "candidates": list(match.candidates),
        }
        for match in plan.people
    ]


def _row(row: "Row") -> Json:
    return {
        "row": row.row,
        "status": row.status.value,
        "reason": row.reason,
        "kind": None if row.kind is None else row.kind.value,
        "description": row.description,
        "date": row.date,
        "amount": row.amount,
        "currency": row.currency,
    }


def _difference(it: "Difference") -> Json:
    return {
        "row": it.row,
        "key": it.person.key,
        "currency": it.currency,
        "stated": float(it.stated),
        "booked": it.booked,
    }


# --- out


async def _csv(services: Services, call: Call, request: r.ExportCsv) -> Json:
    whole = await services.exporting.whole(request.group_id, call.user_id)
    return _file(whole, "csv", await asyncio.to_thread(_table, whole, with_bom=request.bom))


def _table(whole: Whole, *, with_bom: bool) -> bytes:
    from persplit.exchange import table  # noqa: PLC0415 - a start does without

    text = table.table_of(whole.standing.state, whole.names(), whole.things())
    return (table.BOM if with_bom else "").encode() + text.encode()


async def _json(services: Services, call: Call, request: r.OneGroup) -> Json:
    whole = await services.exporting.whole(request.group_id, call.user_id)
    return _file(whole, "json", await asyncio.to_thread(_document, whole))


def _document(whole: Whole) -> bytes:
    from persplit.exchange import own  # noqa: PLC0415 - as above

    state = whole.standing.state
    exported = own.document(
        exported_at=state.at,
        group=views.group(state, whole.profiles),
        standing=views.standing(whole.standing),
        events=views.events(whole.events, whole.profiles),
    )
    return orjson.dumps(exported, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


async def _pdf(services: Services, call: Call, request: r.OneGroup) -> Json:
    whole = await services.exporting.whole(request.group_id, call.user_id)
    statement = await statement_of(whole, services.qr_codes)
    return _file(whole, "pdf", await services.statements.pdf(statement))


def _file(whole: Whole, kind: str, body: bytes) -> Json:
    """A file, with a name that every system takes."""
    state = whole.standing.state
    name = re.sub(r"[^A-Za-z0-9]+", "-", state.settings.name)[:_NAME_LENGTH_MAX].strip("-").lower() or "group"
    return {"file": body, "name": f"{name}-{state.at[:10]}.{kind}"}


OPERATIONS: Final = (
    Operation(
        "importFile",
        "Import another product's file, or our own (admin); with `dryRun` only look at what would happen",
        r.ImportFile,
        exchange_results.ImportReport,
        _import,
        "POST /groups/{groupId}/import",
        body_bytes_max=IMPORT_BODY_BYTES_MAX,
        seconds_max=IMPORT_SECONDS_MAX,
    ),
    Operation(
        "listImports",
        "A group's imports, newest first",
        r.ListImports,
        exchange_results.PastImports,
        _imports,
        "GET /groups/{groupId}/imports",
    ),
    Operation(
        "undoImport",
        "Take an import back as a whole (admin)",
        r.UndoImport,
        exchange_results.ImportUndone,
        _undo,
        "POST /groups/{groupId}/imports/{importId}/undo",
        seconds_max=IMPORT_SECONDS_MAX,
    ),
    Operation(
        "exportCsv",
        "Expenses and payments as a table",
        r.ExportCsv,
        None,
        _csv,
        "GET /groups/{groupId}/export.csv",
        media_type="text/csv",
        budget=Budget.EXPORTS,
    ),
    Operation(
        "exportJson",
        "The whole group, its ledger included, which can be imported again",
        r.OneGroup,
        exchange_results.GroupFile,
        _json,
        "GET /groups/{groupId}/export.json",
        media_type="application/json",
        budget=Budget.EXPORTS,
    ),
    Operation(
        "exportPdf",
        "A statement to print or send: balances, who pays whom with QRs, the newest expenses and payments",
        r.OneGroup,
        None,
        _pdf,
        "GET /groups/{groupId}/export.pdf",
        media_type="application/pdf",
        budget=Budget.EXPORTS,
        seconds_max=IMPORT_SECONDS_MAX,
    ),
)
