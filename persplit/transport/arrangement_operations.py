"""What a group arranges beforehand: presets and recurring expenses."""

from typing import Final

from persplit.ledger.arrangement_codec import preset_to_json, recurrence_to_json
from persplit.ledger.commands import (
    Command,
    DeletePreset,
    PauseRecurrence,
    SavePreset,
    SaveRecurrence,
    StopRecurrence,
)
from persplit.ledger.events import PresetDeleted, PresetSaved, RecurrenceSaved, RecurrenceStopped
from persplit.ledger.expense import ExpenseDraft
from persplit.ledger.recurrence import Schedule, next_day
from persplit.transport import arrangement_requests as r
from persplit.transport.operations import Answers, Call, Operation, Services, command, new_id, today
from persplit.transport.requests import GroupWrite, OneGroup, TemplateIn
from persplit.transport.views import Json

arrangement_results: Final = Answers("arrangement_results")
results: Final = Answers("results")


async def _written(
    services: Services, call: Call, request: GroupWrite, wanted: Command, *, is_new_id: bool = False
) -> Json:
    outcome = await command(services, call, request, wanted, group_id=request.group_id, is_new_id=is_new_id)
    event, answer = outcome.recorded.event, {"seq": outcome.recorded.seq, "replayed": outcome.replayed}
    if isinstance(event, PresetSaved | PresetDeleted):
        return {**answer, "preset": preset_to_json(event.preset, request.group_id)}
    assert isinstance(event, RecurrenceSaved | RecurrenceStopped)  # noqa: S101 - the only events of these commands
    return {**answer, "recurrence": recurrence_to_json(event.recurrence, request.group_id)}


async def _create_preset(services: Services, call: Call, request: r.CreatePreset) -> Json:
    wanted = SavePreset(request.id or new_id(), request.draft(), is_new=True)
    return await _written(services, call, request, wanted)


async def _save_preset(services: Services, call: Call, request: r.SavePreset) -> Json:
    wanted = SavePreset(request.preset_id, request.draft(), request.expected_seq)
    return await _written(services, call, request, wanted)


async def _delete_preset(services: Services, call: Call, request: r.DeletePreset) -> Json:
    return await _written(services, call, request, DeletePreset(request.preset_id, request.expected_seq))


async def _presets(services: Services, call: Call, request: OneGroup) -> Json:
    state = await services.groups.state_for(request.group_id, call.user_id)
    return {"presets": [preset_to_json(preset, state.group_id) for preset in state.presets.values()]}


async def _create_recurrence(services: Services, call: Call, request: r.CreateRecurrence) -> Json:
    template, schedule = await _prepared(services, call, request)
    wanted = SaveRecurrence(request.id or new_id(), schedule, template, is_new=True)
    return await _written(services, call, request, wanted, is_new_id=request.id is None)


async def _save_recurrence(services: Services, call: Call, request: r.SaveRecurrence) -> Json:
    template, schedule = await _prepared(services, call, request)
    wanted = SaveRecurrence(
        request.recurrence_id,
        schedule,
        template,
        request.expected_seq,
        takes_over=await _is_orphaned(services, request),
    )
    return await _written(services, call, request, wanted)


async def _prepared(
    services: Services, call: Call, request: r.CreateRecurrence | r.SaveRecurrence
) -> tuple[ExpenseDraft, Schedule]:
    """The template and when it is due, in a group that is looked at from now on."""
    template = await _template(services, call, request.group_id, request.expense)
    # Known to be looked at before it can be there: whatever happens in between, it is never forgotten.
    await services.recurring.watch(request.group_id)
    return template, request.schedule.schedule()


async def _template(services: Services, call: Call, group_id: str, asked: TemplateIn) -> ExpenseDraft:
    if asked.currency is None or asked.rate is not None:
        return asked.draft()
    state = await services.groups.state_for(group_id, call.user_id)
    return asked.draft(await services.rates.on(asked.currency, state.settings.currency, today()))


async def _pause(services: Services, call: Call, request: r.PauseRecurrence) -> Json:
    await services.recurring.watch(request.group_id)
    wanted = PauseRecurrence(
        request.recurrence_id,
        request.paused,
        expected_seq=request.expected_seq,
        takes_over=await _is_orphaned(services, request),
    )
    return await _written(services, call, request, wanted)


async def _is_orphaned(services: Services, request: r.SaveRecurrence | r.PauseRecurrence) -> bool:
    return await services.recurring.is_orphaned(request.group_id, request.recurrence_id)


async def _stop(services: Services, call: Call, request: r.StopRecurrence) -> Json:
    return await _written(
        services, call, request, StopRecurrence(request.recurrence_id, request.expected_seq)
    )


async def _recurrences(services: Services, call: Call, request: OneGroup) -> Json:
    state = await services.groups.state_for(request.group_id, call.user_id)
    return {
        "recurrences": [
            {
                **recurrence_to_json(one, state.group_id),
                "nextDate": None if one.paused else next_day(one.schedule, one.made_through),
            }
            for one in state.recurrences.values()
        ]
    }


_PRESETS: Final = "/groups/{groupId}/presets"
_RECURRENCES: Final = "/groups/{groupId}/recurrences"

OPERATIONS: Final = (
    Operation(
        "createPreset",
        "Name a way to divide",
        r.CreatePreset,
        results.PresetWritten,
        _create_preset,
        f"POST {_PRESETS}",
        "preset:create",
        status=201,
    ),
    Operation(
        "listPresets",
        "The group's named ways to divide",
        OneGroup,
        arrangement_results.Presets,
        _presets,
        f"GET {_PRESETS}",
    ),
    Operation(
        "savePreset",
        "Put another version of a preset; expenses made with it stay",
        r.SavePreset,
        results.PresetWritten,
        _save_preset,
        f"PUT {_PRESETS}/{{presetId}}",
        "preset:save",
    ),
    Operation(
        "deletePreset",
        "Delete a preset; expenses made with it stay",
        r.DeletePreset,
        results.PresetWritten,
        _delete_preset,
        f"DELETE {_PRESETS}/{{presetId}}",
        "preset:delete",
    ),
    Operation(
        "createRecurrence",
        "Set up a recurring expense",
        r.CreateRecurrence,
        results.RecurrenceWritten,
        _create_recurrence,
        f"POST {_RECURRENCES}",
        "recurrence:create",
        status=201,
    ),
    Operation(
        "listRecurrences",
        "The group's recurring expenses",
        OneGroup,
        arrangement_results.Recurrences,
        _recurrences,
        f"GET {_RECURRENCES}",
    ),
    Operation(
        "saveRecurrence",
        "Put another version of a recurring expense; what it has made stays",
        r.SaveRecurrence,
        results.RecurrenceWritten,
        _save_recurrence,
        f"PUT {_RECURRENCES}/{{recurrenceId}}",
        "recurrence:save",
    ),
    Operation(
        "pauseRecurrence",
        "Pause a recurring expense, or go on",
        r.PauseRecurrence,
        results.RecurrenceWritten,
        _pause,
        f"POST {_RECURRENCES}/{{recurrenceId}}/pause",
        "recurrence:pause",
    ),
    Operation(
        "stopRecurrence",
        "Stop a recurring expense; what it has made stays",
        r.StopRecurrence,
        results.RecurrenceWritten,
        _stop,
        f"DELETE {_RECURRENCES}/{{recurrenceId}}",
        "recurrence:stop",
    ),
)
