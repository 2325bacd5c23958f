"""From the service's results to JSON values, in the names of the wire."""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from persplit.ledger import codec
from persplit.ledger.events import GroupEvent, MemberUnblocked, MemberUpdated, Noun, RecordedEvent, subject_of
from persplit.ledger.expense import Expense
from persplit.ledger.explain import ExplainedDebt
from persplit.ledger.group import Member
from persplit.ledger.settlement import Settlement
from persplit.ledger.snapshot import state_to_json
from persplit.ledger.state import GroupState
from persplit.service.accounts import SignedIn
from persplit.service.history import Explanation, GroupSnapshot, Tail
from persplit.service.invites import Invite
from persplit.service.people import DELETED_PERSON, Profiles, shown_name
from persplit.service.sessions import Session
from persplit.service.standing import Payment, Standing
from persplit.service.users import User

Json: TypeAlias = dict[str, Any]

API: Final = "/api/v1"


def user(person: User) -> Json:
    """A profile, for its owner only."""
    return {
        "id": person.id,
        "name": person.name,
        "email": person.email,
        "phone": person.phone,
        "vpa": person.vpa,
        "locale": person.locale,
        "createdAt": person.created_at,
        "guestOf": person.guest_of,
    }


def signed_in(it: SignedIn) -> Json:
    """Somebody who has just signed in, with their tokens."""
    return {
        "user": user(it.user),
        "accessToken": it.access_token,
        "refreshToken": it.refresh_token,
        "expiresIn": it.expires_in,
    }


def invite(it: Invite) -> Json:
    """What is known of an invite, its code apart."""
    return {
        "id": it.id,
        "createdBy": it.created_by,
        "createdAt": it.created_at,
        "expiresAt": it.expires_at,
        "uses": it.uses,
        "maxUses": it.uses_max,
    }


def session(info: Session, current_id: str) -> Json:
    """A signed-in device."""
    return {
        "id": info.id,
        "device": info.device,
        "createdAt": info.created_at,
        "lastUsedAt": info.last_used_at,
        "current": info.id == current_id,
    }


def group(state: GroupState, people: Profiles) -> Json:
    """A group with everybody who is or was in it, by their present names."""
    settings = state.settings
    return {
        "id": state.group_id,
        "seq": state.seq,
        "name": settings.name,
        "description": settings.description,
        "currency": settings.currency,
        "simplify": settings.simplify,
        "hasPassword": settings.has_password,
        "archivedAt": settings.archived_at,
        "timeZone": settings.time_zone,
        "kind": settings.kind.value,
        "createdBy": state.created_by,
        "createdAt": state.created_at,
        "updatedAt": state.at,
        "members": [
            {
                **codec.member_to_json(member),
                "name": shown_name(people, member.user_id, member.name, placeholder=member.placeholder),
            }
            for member in state.members.values()
        ],
    }


def member(it: Member) -> Json:
    """A member, as recorded."""
    return codec.member_to_json(it)


def thing(it: Expense | Settlement, group_id: str) -> Json:
    """An expense or a settlement."""
    if isinstance(it, Expense):
        return codec.expense_to_json(it, group_id)
    return codec.settlement_to_json(it, group_id)


def balances(standing: Standing) -> list[Json]:
    """Everybody's net position."""
    return [{"userId": user_id, "amount": amount} for user_id, amount in standing.balances()]


def qr_url(token: str | None, kind: str = "png") -> str | None:
    """Where the image of the token is."""
    return None if token is None else f"{API}/qr/{token}.{kind}"


def payment(row: Payment) -> Json:
    """A row of the plan."""
    return {
        "from": row.transfer.from_id,
        "to": row.transfer.to_id,
        "amount": row.transfer.amount,
        "upiLink": row.upi_link,
        "qrUrl": qr_url(row.qr_token),
    }


def standing(it: Standing) -> Json:
    """Balances, debts and the plan at a seq."""
    return {
        "groupId": it.state.group_id,
        "seq": it.state.seq,
        "at": it.state.at,
        "balances": balances(it),
        "debts": [
            {"from": debtor, "to": creditor, "amount": amount} for debtor, creditor, amount in it.debts()
        ],
        "settleUp": [payment(row) for row in it.plan],
        "optimal": it.optimal,
    }


def shows_people(recorded: RecordedEvent) -> bool:
    """Whether the broadcast of the event needs the profiles of the group's members."""
    return isinstance(recorded.event, GroupEvent | MemberUpdated | MemberUnblocked)


def broadcast(recorded: RecordedEvent, it: Standing, people: Profiles) -> tuple[str, Json]:
    """The event's name on the wire and its payload for everybody in the group."""
    told = codec.event_to_json(recorded)
    name: str = told["type"]
    payload = {key: told[key] for key in ("groupId", "seq", "at", "by", "commandId")}
    if name in ("member:updated", "member:unblocked"):
        # A role is part of the group as it is shown; the contract has no event of its own for it.
        name = "group:updated"
    if name in ("group:created", "group:updated"):
        payload["group"] = group(it.state, people)
    else:
        noun = name.partition(":")[0]
        payload[noun] = told[noun]
        if noun == "attachment":
            payload["expense"] = told["expense"]
        if noun == "settlement" and "loan" in told:
            payload["loan"] = told["loan"]
    payload["updatedBalances"] = balances(it)
    payload["settleUp"] = [payment(row) for row in it.plan]
    return name, payload


def explanation(it: Explanation, from_id: str, to_id: str) -> Json:
    """Why one pays the other."""
    return {
        "groupId": it.standing.state.group_id,
        "seq": it.standing.state.seq,
        "from": from_id,
        "to": to_id,
        "amount": it.row.transfer.amount if it.row else 0,
        "debts": [_explained(debt) for debt in it.debts],
    }


def _explained(debt: ExplainedDebt) -> Json:
    return {
        "from": debt.debtor_id,
        "to": debt.creditor_id,
        "amount": debt.amount,
        "causes": [
            {
                "kind": cause.source,
                "id": cause.source_id,
                "description": cause.description,
                "date": cause.date,
                "amount": cause.amount,
            }
            for cause in debt.causes
        ],
    }


def people_in(recorded: Sequence[RecordedEvent]) -> set[str]:
    """Whose names these events hold."""
    subjects = (subject_of(one.event) for one in recorded)
    return {user_id for noun, user_id in subjects if noun is Noun.MEMBER}


def events(recorded: Sequence[RecordedEvent], people: Profiles) -> list[Json]:
    """Events of the ledger, without the names of those whose accounts were erased."""
    told = [codec.event_to_json(event) for event in recorded]
    for event in told:
        if event["type"].startswith(("member:", "group:")):
            event.update({key: _nameless(event[key], people) for key in _MEMBER_KEYS & event.keys()})
    return told


_MEMBER_KEYS: Final = frozenset({"member", "before"})


def _nameless(member: Json, people: Profiles) -> Json:
    is_erased = "userId" in member and not member["placeholder"] and member["userId"] not in people
    return {**member, "name": DELETED_PERSON} if is_erased else member


def tail(it: Tail, people: Profiles) -> Json:
    """The answer to `sync:pull` with events."""
    return {"events": events(it.events, people), "seq": it.seq, "more": it.more}


def snapshot(it: GroupSnapshot, people: Profiles) -> Json:
    """The answer to `sync:pull` with a whole group."""
    state = it.standing.state
    encoded = state_to_json(state)
    whole = {
        "group": group(state, people),
        **standing(it.standing),
        "expenses": [thing(t, state.group_id) for t in it.things if isinstance(t, Expense)],
        "settlements": [thing(t, state.group_id) for t in it.things if isinstance(t, Settlement)],
        "presets": encoded["presets"],
        "recurrences": encoded["recurrences"],
        "loans": encoded["loans"],
        "state": {**encoded, "members": [_nameless(member, people) for member in encoded["members"]]},
    }
    return {"snapshot": whole, "seq": state.seq}
