"""Accounts as they are kept: one document each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from persplit.ledger.errors import NotFound
from persplit.service.errors import EmailTaken, StoreUnavailable
from persplit.service.ports import READ_LIMIT_MAX, Document, Documents, DuplicateKey, VersionChanged

UNIQUE_KEYS: Final = ("email",)
"""Of the collection that `Users` works on."""
ATTEMPTS_MAX: Final = 8
"""Times that a change is made anew after another one of the same account came between."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with an account. `vpa` is their UPI id; `created_at` is RFC 3339 UTC with milliseconds."""

    id: str
    name: str
    email: str
    phone: str | None
    vpa: str | None
    locale: str | None
    created_at: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """An account with the hash of its password, which leaves this layer only to be verified."""

    user: User
    password_hash: str = field(repr=False)


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

    async def insert(self, user: User, password_hash: str) -> None:
        """Keep a new account.

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

    async def update(self, user_id: str, changes: ProfileChanges) -> User:
        """Change the profile; of changes made at once, none of one field undoes one of another.

        Raises:
            NotFound: no such account.
            EmailTaken: another account has the new address.

        """
        for _ in range(ATTEMPTS_MAX):
            document = (await self._documents.get([user_id])).get(user_id)
            if document is None:
                raise NotFound("there is no such account")
            known = read_credentials(document)
            changed = replace(known, user=_changed(known.user, changes))
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
    }
    return Document(user.id, body, {"email": email_key(user.email)}, version)


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
    )
    return Credentials(user, body["passwordHash"])
