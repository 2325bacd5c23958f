"""Presets and recurring expenses to plain JSON objects and back, for the wire and the stores."""

from persplit.ledger.draft_codec import Json, draft_from_json, draft_to_json, splits_from_json, splits_to_json
from persplit.ledger.expense import SplitType
from persplit.ledger.preset import Preset
from persplit.ledger.recurrence import Frequency, Recurrence, Schedule


def preset_to_json(preset: Preset, group_id: str) -> Json:
    """A preset; without `participants` it is for all who are members when it is used."""
    told: Json = {
        "id": preset.id,
        "groupId": group_id,
        "seq": preset.seq,
        "name": preset.name,
        "splitType": preset.split_type.value,
        "splits": splits_to_json(preset.splits, preset.split_type),
        "isDefault": preset.is_default,
        "createdBy": preset.created_by,
        "createdAt": preset.created_at,
        "updatedAt": preset.updated_at,
    }
    if preset.participants is not None:
        told["participants"] = list(preset.participants)
    return told


def preset_from_json(stored: Json) -> Preset:
    """What `preset_to_json` made."""
    split_type = SplitType(stored["splitType"])
    participants = stored.get("participants")
    return Preset(
        id=stored["id"],
        seq=stored["seq"],
        name=stored["name"],
        split_type=split_type,
        participants=None if participants is None else tuple(participants),
        splits=splits_from_json(stored["splits"], split_type),
        is_default=stored["isDefault"],
        created_by=stored["createdBy"],
        created_at=stored["createdAt"],
        updated_at=stored["updatedAt"],
    )


def schedule_to_json(schedule: Schedule) -> Json:
    """How often, from when to when."""
    return {
        "frequency": schedule.frequency.value,
        "interval": schedule.interval,
        "start": schedule.start,
        "end": schedule.end,
        "count": schedule.count,
    }


def schedule_from_json(stored: Json) -> Schedule:
    """What `schedule_to_json` made; a client leaves out what it doesn't say."""
    return Schedule(
        frequency=Frequency(stored["frequency"]),
        start=stored["start"],
        interval=stored.get("interval", 1),
        end=stored.get("end"),
        count=stored.get("count"),
    )


def recurrence_to_json(recurrence: Recurrence, group_id: str) -> Json:
    """A recurring expense; `expense` has the fields of `expense:create`."""
    return {
        "id": recurrence.id,
        "groupId": group_id,
        "seq": recurrence.seq,
        "since": recurrence.since,
        "schedule": schedule_to_json(recurrence.schedule),
        "expense": draft_to_json(recurrence.draft),
        "madeThrough": recurrence.made_through,
        "paused": recurrence.paused,
        "problem": recurrence.problem,
        "createdBy": recurrence.created_by,
        "createdAt": recurrence.created_at,
        "updatedAt": recurrence.updated_at,
    }


def recurrence_from_json(stored: Json) -> Recurrence:
    """What `recurrence_to_json` made."""
    return Recurrence(
        id=stored["id"],
        seq=stored["seq"],
        since=stored["since"],
        schedule=schedule_from_json(stored["schedule"]),
        draft=draft_from_json(stored["expense"]),
        made_through=stored["madeThrough"],
        paused=stored["paused"],
        problem=stored["problem"],
        created_by=stored["createdBy"],
        created_at=stored["createdAt"],
        updated_at=stored["updatedAt"],
    )
