"""Erasing: a person's account, or a group with everything in it. For good; to be done again if it broke off.

Before anything of a group goes it is noted, so that nobody takes a half-erased group for a damaged one. The note
stays: a backup takes it along, and no group ever gets the id again.
"""

from dataclasses import replace
from typing import Final

from persplit.ledger.errors import NotFound
from persplit.service import channels
from persplit.service.attachments import forget_group
from persplit.service.handler import rfc3339
from persplit.service.ports import Clock, Document, Documents, DuplicateKey, Stores
from persplit.service.users import Users

FOUND_AT_ONCE: Final = 500
"""Documents looked up at once."""


def is_unfinished(note: Document) -> bool:
    """Whether the erasure that the note is about broke off, or is under way."""
    return note.body.get("finished") is not True


async def erase_group(stores: Stores, group_id: str, clock: Clock) -> None:
    """Erase the group: events, snapshots, invites, password, attachments, webhooks, tally.

    Servers that have it in memory find out within seconds, clients when they next ask. Nothing can be written
    under its id from the moment that the store has it as erased.

    Raises:
        NotFound: no such group, and none by this id was ever erased.

    """
    # 1 note it
    noted = await stores.erasures.get([group_id])
    if not noted and not await stores.events.heads([group_id]):
        raise NotFound("there is no such group")
    if not noted:
        await _note(stores.erasures, group_id, clock)
    # 2 the ledger: from here on nobody reads or writes it
    await stores.events.erase(group_id)
    # 3 what points to it
    await _delete_all(stores.invites, "groupId", group_id)
    await stores.group_passwords.delete(group_id)
    await forget_group(stores.attachments, stores.files, group_id, clock())
    await stores.tallies.forget(group_id)
    await stores.channels.delete(channels.group(group_id))
    await _delete_all(stores.deliveries, "groupId", group_id)
    await stores.schedules.delete(group_id)
    # 4 done
    (note,) = (await stores.erasures.get([group_id])).values()
    if is_unfinished(note):
        await stores.erasures.replace(replace(note, body={**note.body, "finished": True}))


async def _note(erasures: Documents, group_id: str, clock: Clock) -> None:
    try:
        await erasures.insert(Document(group_id, {"at": rfc3339(clock()), "finished": False}))
    except DuplicateKey:
        return  # somebody else erases it, too


async def erase_account(stores: Stores, account: str) -> str:
    """Erase the account with this id or e-mail address: sessions, invites, role, marks, channels, profile.

    Webhooks that they made for groups go, too. Returns its id.

    The ledgers stay as they are, as do files that are attached in them: in their groups the person is somebody with no account and no name. The profile
    goes last, so that who is to be erased can still be found by their address when it has to be done again.

    Raises:
        NotFound: nothing is kept of such an account.

    """
    user = await Users(stores.users).by_email(account)
    user_id = user.id if user else account
    is_known = user is not None or bool(await stores.users.get([user_id]))
    ended = await _delete_all(stores.sessions, "userId", user_id)
    ended += await _delete_all(stores.personal_tokens, "userId", user_id)
    ended += await _delete_all(stores.invites, "createdBy", user_id)
    await stores.admins.delete(user_id)
    await stores.suspensions.delete(user_id)
    await stores.read_marks.delete(user_id)
    await stores.channels.delete(channels.person(user_id))
    await _delete_all(stores.deliveries, "owner", channels.person(user_id))
    await stores.users.delete(user_id)
    # They may have signed in, or invited somebody, meanwhile.
    await _delete_all(stores.sessions, "userId", user_id)
    await _delete_all(stores.personal_tokens, "userId", user_id)
    await _delete_all(stores.invites, "createdBy", user_id)
    await channels.forget_made_by(stores.channels, stores.deliveries, user_id)
    if not is_known and not ended:
        raise NotFound("there is no such account")
    return user_id


async def _delete_all(documents: Documents, key: str, value: str) -> int:
    """Delete all that have this value of the key; how many there were."""
    count = 0
    while found := await documents.find(key, value, FOUND_AT_ONCE):
        for document in found:
            await documents.delete(document.id)
        count += len(found)
    return count
