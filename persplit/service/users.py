"""Accounts as they are kept: one document each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from persplit.ledger.errors import Conflict, NotFound
from persplit.service.errors import EmailTaken, StoreUnavailable
from persplit.service.ports import READ_LIMIT_MAX, Document, Documents, DuplicateKey, VersionChanged

UNIQUE_KEYS: Final = ("email",)
"""Of the collection that `Users` works on."""
ATTEMPTS_MAX: Final = 8
"""Times that a change is made anew after another one of the same account came between."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with an account, or a guest, who has none yet: no address, no password, one group (`guest_of`).

    `vpa` is their UPI id; `created_at` is RFC 3339 UTC with milliseconds.
    """

    id: str
    name: str
    email: str | None
    phone: str | None
    vpa: str | None
    locale: str | None
    created_at: str
    guest_of: str | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """An account with the hash of its password, which leaves this layer only to be verified; a guest has none."""

    user: User
    password_hash: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ProfileChanges:
    """What to change of a profile. None leaves a field as it is; an empty phone, UPI id or locale removes it."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    vpa: str | None = None
    locale: str | None = None


def email_key(email: str) -> str:
    """What two spellings of one address have in common."""
    return email.casefold()


class Users:
    """The accounts. Every method raises `StoreUnavailable` when the store doesn't answer."""

    def __init__(self, documents: Documents) -> None:
        """`documents` must have been opened with `UNIQUE_KEYS`."""
        self._documents = documents

    async def insert(self, user: User, password_hash: str | None) -> None:
        """Keep a new account, or a guest, who has no password.

        Raises:
            EmailTaken: an account with this address exists.

        """
        try:
            await self._documents.insert(_document(Credentials(user, password_hash), version=1))
        except DuplicateKey:
            raise _email_taken() from None

    async def get(self, user_id: str) -> User | None:
        """The account, if there is one."""
        return (await self.get_many([user_id])).get(user_id)

    async def get_many(self, ids: Sequence[str]) -> Mapping[str, User]:
        """The accounts with these ids; ids of nobody are left out."""
        found: dict[str, User] = {}
        for start in range(0, len(ids), READ_LIMIT_MAX):
            documents = await self._documents.get(ids[start : start + READ_LIMIT_MAX])
            found.update((id_, read_credentials(document).user) for id_, document in documents.items())
        return found

    async def count(self) -> int:
        """How many accounts there are, more or less."""
        return await self._documents.count()

    async def page(self, after: str, limit: int) -> Sequence[User]:
        """At most `limit` accounts with ids above `after`, in order of id."""
        return [read_credentials(document).user for document in await self._documents.scan(after, limit)]

    async def by_email(self, email: str) -> User | None:
        """The account with this address, in whatever case it is written."""
        found = await self.credentials(email)
        return found.user if found else None

    async def credentials(self, email: str) -> Credentials | None:
        """The account with this address, and its password hash."""
        found = await self._documents.find("email", email_key(email), limit=1)
        return read_credentials(found[0]) if found else None

    async def credentials_of(self, user_id: str) -> Credentials | None:
        """The account with this id, and its password hash."""
        document = (await self._documents.get([user_id])).get(user_id)
        return read_credentials(document) if document else None

    async def delete(self, user_id: str) -> None:
        """Forget the account, if it is there."""
        await self._documents.delete(user_id)

    async def update(self, user_id: str, changes: ProfileChanges) -> User:
        """Change the profile; of changes made at once, none of one field undoes one of another.

        Raises:
            NotFound: no such account.
            EmailTaken: another account has the new address.

        """
        return await self._change(user_id, lambda known: replace(known, user=_changed(known.user, changes)))

    async def upgrade(self, user_id: str, email: str, password_hash: str) -> User:
        """Make a guest an account with this address and password; all else stays.

        Raises:
            NotFound: no such guest.
            Conflict: it is an account already.
            EmailTaken: another account has the address.

        """

        def upgraded(known: Credentials) -> Credentials:
            if known.user.guest_of is None:
                raise Conflict("you have an account already")
            return Credentials(replace(known.user, email=email, guest_of=None), password_hash)

        return await self._change(user_id, upgraded)

    async def _change(self, user_id: str, change: Callable[[Credentials], Credentials]) -> User:
        for _ in range(ATTEMPTS_MAX):
            document = (await self._documents.get([user_id])).get(user_id)
            if document is None:
                raise NotFound("there is no such account")
            changed = change(read_credentials(document))
            try:
                await self._documents.replace(_document(changed, document.version))
            except VersionChanged:
                continue
            except DuplicateKey:
                raise _email_taken() from None
            return changed.user
        raise StoreUnavailable("the profile is being changed from too many sides")


def _changed(user: User, changes: ProfileChanges) -> User:
    return replace(
        user,
        name=changes.name or user.name,
        email=changes.email or user.email,
        phone=_optional(changes.phone, user.phone),
        vpa=_optional(changes.vpa, user.vpa),
        locale=_optional(changes.locale, user.locale),
    )


def _optional(new: str | None, old: str | None) -> str | None:
    return old if new is None else new or None


def _email_taken() -> EmailTaken:
    return EmailTaken("an account with this e-mail address exists")


def _document(credentials: Credentials, version: int) -> Document:
    user = credentials.user
    body = {
        "name": user.name,
        "email": user.email,
        "phone": user.phone,
        "vpa": user.vpa,
        "locale": user.locale,
        "createdAt": user.created_at,
        "passwordHash": credentials.password_hash,
        "guestOf": user.guest_of,
    }
    return Document(user.id, body, keys_of(user), version)


def keys_of(user: User) -> dict[str, str]:
    """By what an account is found besides its id."""
    return {} if user.email is None else {"email": email_key(user.email)}


def read_credentials(document: Document) -> Credentials:
    """The account that is kept in the document."""
    body = document.body
    user = User(
        id=document.id,
        name=body["name"],
        email=body["email"],
        phone=body["phone"],
        vpa=body["vpa"],
        locale=body["locale"],
        created_at=body["createdAt"],
        # Accounts from before there were guests have no such field.
        guest_of=body.get("guestOf"),
    )
    return Credentials(user, body["passwordHash"])
