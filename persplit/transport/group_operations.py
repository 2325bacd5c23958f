"""Groups, their members and invites."""

import hashlib
from typing import Final
from uuid import UUID

import orjson

from persplit.ledger import codec
from persplit.ledger.commands import (
    AddMember,
    ChangeRole,
    ChangeUnit,
    ChangeWeight,
    CreateGroup,
    JoinGroup,
    LeaveGroup,
    MemberCommand,
    RemoveMember,
    UnblockMember,
    UpdateGroup,
)
from persplit.ledger.direct import is_direct_id
from persplit.ledger.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from persplit.ledger.events import MemberEvent, MemberUpdated
from persplit.ledger.group import GroupKind
from persplit.ledger.state import GroupState
from persplit.service.command_request import CommandRequest, Outcome
from persplit.service.errors import AccountNeeded
from persplit.service.invites import Invite
from persplit.service.qr_tokens import InviteQr
from persplit.transport import requests as r
from persplit.transport import views
from persplit.transport.limits import Budget
from persplit.transport.operations import Answers, Call, Operation, Services, command, new_id, page_by_id
from persplit.transport.reach import Reach
from persplit.transport.views import Json

results: Final = Answers("results")


async def _view(services: Services, state: GroupState) -> Json:
    return views.group(state, await services.people.get(set(state.members)))


async def _written(services: Services, outcome: Outcome) -> Json:
    return {
        "seq": outcome.recorded.seq,
        "replayed": outcome.replayed,
        "group": await _view(services, outcome.state),
    }


async def _create_group(services: Services, call: Call, request: r.CreateGroup) -> Json:
    await services.overview.check_room(call.user_id)
    chosen = request.group_id or request.id
    if chosen is not None and is_direct_id(chosen):
        raise Invalid(FieldError("groupId", "a UUID of another version than 8"))
    group_id = chosen or _group_id(call.user_id, request.command_id)
    me = await services.accounts.profile(call.user_id)
    wanted = CreateGroup(
        actor_name=me.name,
        name=request.name,
        description=request.description or None,
        currency=request.currency,
        simplify=request.simplify,
        has_password=request.join_password is not None,
        time_zone=request.time_zone,
    )
    outcome = await command(services, call, request, wanted, group_id=group_id)
    await _set_password(services, outcome, request.join_password)
    return await _written(services, outcome)


def _group_id(user_id: str, command_id: str) -> str:
    """The same for every retry of the command, so that the ledger of the group knows the retry."""
    digest = hashlib.sha256(f"group\0{user_id}\0{command_id}".encode()).digest()
    return str(UUID(bytes=digest[:16], version=4))


async def _set_password(services: Services, outcome: Outcome, password: str | None) -> None:
    """Keep the password once the ledger says that there is one.

    In between, nobody can join; a retry of the command mends a server that was killed in between. A retry that
    comes after a later change of the settings no longer counts.
    """
    if password is not None and outcome.state.settings.seq == outcome.recorded.seq:
        await services.group_passwords.set(outcome.state.group_id, password)


async def _groups(services: Services, call: Call, request: r.ListById) -> Json:
    ids, cursor = page_by_id(await services.overview.group_ids(call.user_id), str, request)
    states = await services.overview.states(call.user_id, ids)
    return {"groups": [await _view(services, state) for state in states], "nextCursor": cursor}


async def _group(services: Services, call: Call, request: r.OneGroup) -> Json:
    return await _view(services, await services.groups.state_for(request.group_id, call.user_id))


async def _update_group(services: Services, call: Call, request: r.UpdateGroup) -> Json:
    wanted = UpdateGroup(
        name=request.name,
        description=request.description,
        currency=request.currency,
        simplify=request.simplify,
        has_password=True if request.join_password is not None else None,
        archived=request.archived,
        time_zone=request.time_zone,
        expected_seq=request.expected_seq,
    )
    outcome = await command(services, call, request, wanted, group_id=request.group_id)
    await _set_password(services, outcome, request.join_password)
    if request.archived is False and outcome.state.recurrences:
        # What rested goes on at once, rather than when it is looked at next.
        await services.recurring.watch(request.group_id)
    return await _written(services, outcome)


async def _archive_group(services: Services, call: Call, request: r.ArchiveGroup) -> Json:
    wanted = UpdateGroup(archived=True, expected_seq=request.expected_seq)
    return await _written(services, await command(services, call, request, wanted, group_id=request.group_id))


async def _add_member(services: Services, call: Call, request: r.AddMember) -> Json:
    if request.id is not None and await services.users.get(request.id) is not None:
        raise Conflict("this id is somebody's account")
    if request.name is not None:
        wanted = AddMember(request.id or new_id(), request.name, placeholder=True)
    else:
        wanted = await _registered(services, call, request)
    return await _member_written(services, call, request, wanted)


async def _registered(services: Services, call: Call, request: r.AddMember) -> AddMember:
    """Only a group's admins can find out whether an address has an account, and only by adding it."""
    state = await services.groups.state_for(request.group_id, call.user_id)
    _check_open(state)
    if not state.is_admin(call.user_id):
        raise Forbidden("only an admin of the group can do this")
    person = await services.users.by_email(request.email or "")
    if person is None:
        message = "nobody has an account with this address: send an invite, or add a placeholder by name"
        raise Invalid(FieldError("email", message))
    if not state.is_member(person.id):
        await services.overview.check_room(person.id)
    return AddMember(person.id, person.name)


async def _change_role(services: Services, call: Call, request: r.ChangeRole) -> Json:
    if request.role is None:
        wanted = ChangeWeight(request.user_id, request.scaled_weight())
        return await _member_written(services, call, request, wanted)
    return await _member_written(services, call, request, ChangeRole(request.user_id, request.role))


async def _member_written(
    services: Services, call: Call, request: r.GroupWrite, wanted: MemberCommand
) -> Json:
    outcome = await command(services, call, request, wanted, group_id=request.group_id)
    event = outcome.recorded.event
    assert isinstance(event, MemberEvent)  # noqa: S101 - the only events of these commands
    member = event.after if isinstance(event, MemberUpdated) else event.member
    return {**await _written(services, outcome), "member": codec.member_to_json(member)}


async def _remove_member(services: Services, call: Call, request: r.RemoveMember) -> Json:
    wanted = RemoveMember(request.user_id, request.block)
    return await _written(services, await command(services, call, request, wanted, group_id=request.group_id))


async def _unblock_member(services: Services, call: Call, request: r.UnblockMember) -> Json:
    return await _member_written(services, call, request, UnblockMember(request.user_id))


async def _change_unit(services: Services, call: Call, request: r.ChangeUnit) -> Json:
    return await _member_written(services, call, request, ChangeUnit(request.user_id, request.unit))


async def _leave_group(services: Services, call: Call, request: r.LeaveGroup) -> Json:
    return await _written(
        services, await command(services, call, request, LeaveGroup(), group_id=request.group_id)
    )


def _check_open(state: GroupState) -> None:
    """Return if others can come in."""
    if state.settings.kind is GroupKind.DIRECT:
        raise Forbidden("this is a ledger of two people, and nobody else comes in")


async def _create_invite(services: Services, call: Call, request: r.CreateInvite) -> Json:
    _check_open(await services.groups.state_for(request.group_id, call.user_id))
    claims = call.signed_in
    code, invite = await services.invites.create(
        request.group_id,
        call.user_id,
        hours=request.hours,
        uses_max=request.max_uses,
        token=claims if claims.scope is not None else None,
    )
    url = services.invite_url(code)
    token = services.qr_tokens.issue(InviteQr(code), url)
    return {**views.invite(invite), "code": code, "url": url, "qrUrl": views.qr_url(token)}


async def _own_invites(services: Services, call: Call, group_id: str) -> list[Invite]:
    """The invites that the caller may look after: as an admin all, else their own."""
    state = await services.groups.state_for(group_id, call.user_id)
    is_admin = state.is_admin(call.user_id)
    found = await services.invites.list_of(group_id)
    return [invite for invite in found if is_admin or invite.created_by == call.user_id]


async def _invites(services: Services, call: Call, request: r.ListInvites) -> Json:
    own = await _own_invites(services, call, request.group_id)
    page, cursor = page_by_id(own, lambda invite: invite.id, request)
    return {"invites": [views.invite(invite) for invite in page], "nextCursor": cursor}


async def _revoke_invite(services: Services, call: Call, request: r.RevokeInvite) -> Json:
    own = await _own_invites(services, call, request.group_id)
    invite = next((invite for invite in own if invite.id == request.invite_id), None)
    if invite is None:
        raise NotFound("there is no such invite, or it has run out")
    await services.invites.revoke(invite)
    return {}


async def _join_group(services: Services, call: Call, request: r.JoinGroup) -> Json:
    me = await services.accounts.profile(call.user_id)

    async def join(group_id: str) -> Outcome:
        if request.group_id not in (None, group_id):
            raise Invalid(FieldError("groupId", "the invite is to another group"))
        if call.signed_in.group_id not in (None, group_id):
            raise AccountNeeded("guests have their one group: make an account to join others")
        return await command(services, call, request, JoinGroup(me.name, request.claim), group_id=group_id)

    return await _written(
        services, await services.joining.join(request.code, call.user_id, request.password, join)
    )


async def _join_as_guest(services: Services, call: Call, request: r.JoinAsGuest) -> Json:
    async def join(group_id: str, guest_id: str, command_id: str) -> Outcome:
        content = {"type": type(request).__name__, **request.content(), "groupId": group_id}
        return await services.handler.handle(
            CommandRequest(
                actor_id=guest_id,
                group_id=group_id,
                command_id=command_id,
                content=orjson.dumps(content, option=orjson.OPT_SORT_KEYS).decode(),
                command=JoinGroup(request.name, request.claim),
            )
        )

    signed_in, outcome = await services.guests.join(
        request.name,
        request.code,
        request.key,
        request.password,
        join,
        tried_by=call.address,
        device=call.device,
    )
    return {**views.signed_in(signed_in), **await _written(services, outcome)}


_GROUP: Final = results.GroupWritten

OPERATIONS: Final = (
    Operation(
        "createGroup",
        "Make a group",
        r.CreateGroup,
        _GROUP,
        _create_group,
        "POST /groups",
        "group:create",
        status=201,
        about=Reach.PERSON,
    ),
    Operation(
        "listGroups",
        "The caller's groups",
        r.ListById,
        results.Groups,
        _groups,
        "GET /groups",
        guests=True,
    ),
    Operation("getGroup", "A group", r.OneGroup, results.Group, _group, "GET /groups/{groupId}"),
    Operation(
        "updateGroup",
        "Change a group's settings (admin)",
        r.UpdateGroup,
        _GROUP,
        _update_group,
        "PATCH /groups/{groupId}",
        "group:update",
    ),
    Operation(
        "archiveGroup",
        "Archive a group (admin)",
        r.ArchiveGroup,
        _GROUP,
        _archive_group,
        "POST /groups/{groupId}/archive",
    ),
    Operation(
        "addMember",
        "Add a registered person or a placeholder (admin)",
        r.AddMember,
        results.MemberWritten,
        _add_member,
        "POST /groups/{groupId}/members",
        "member:add",
        status=201,
        guests=False,
    ),
    Operation(
        "changeRole",
        "Change a member's role (admin), or weight",
        r.ChangeRole,
        results.MemberWritten,
        _change_role,
        "PATCH /groups/{groupId}/members/{userId}",
    ),
    Operation(
        "changeUnit",
        "Let a member settle together with others (admin), or leave their unit (themself, too)",
        r.ChangeUnit,
        results.MemberWritten,
        _change_unit,
        "PUT /groups/{groupId}/members/{userId}/unit",
        "member:unit",
    ),
    Operation(
        "unblockMember",
        "Let somebody who was blocked come in again (admin)",
        r.UnblockMember,
        results.MemberWritten,
        _unblock_member,
        "POST /groups/{groupId}/members/{userId}/unblock",
        "member:unblock",
    ),
    Operation(
        "removeMember",
        "Put a member out, at zero balance (admin); with `block` for good",
        r.RemoveMember,
        _GROUP,
        _remove_member,
        "DELETE /groups/{groupId}/members/{userId}",
        "member:remove",
    ),
    Operation(
        "leaveGroup",
        "Leave a group, at zero balance",
        r.LeaveGroup,
        _GROUP,
        _leave_group,
        "DELETE /groups/{groupId}/leave",
        "group:leave",
    ),
    Operation(
        "createInvite",
        "Invite somebody by link or QR",
        r.CreateInvite,
        results.Invite,
        _create_invite,
        "POST /groups/{groupId}/invites",
        status=201,
        guests=False,
    ),
    Operation(
        "listInvites",
        "Invites that have not run out: all of them for admins, else the caller's own",
        r.ListInvites,
        results.Invites,
        _invites,
        "GET /groups/{groupId}/invites",
        guests=False,
    ),
    Operation(
        "revokeInvite",
        "Take an invite back (an admin, or who made it)",
        r.RevokeInvite,
        None,
        _revoke_invite,
        "DELETE /groups/{groupId}/invites/{inviteId}",
        status=204,
        guests=False,
    ),
    Operation(
        "joinGroup",
        "Join a group by an invite's code",
        r.JoinGroup,
        _GROUP,
        _join_group,
        "POST /groups/join",
        "group:join",
        budget=Budget.JOINS,
        about=Reach.PERSON,
        guests=True,
    ),
    Operation(
        "joinAsGuest",
        "Join a group by an invite's code with no account: the tokens open this group alone",
        r.JoinAsGuest,
        results.GuestJoined,
        _join_as_guest,
        "POST /guests",
        status=201,
        is_public=True,
        budget=Budget.SIGN_INS,
        writes=True,
    ),
)
