"""A trip of four with a bit of everything, written over REST: what every screen of the page has something to show of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from tests.system.phone import Json, Phone

PEOPLE: Final = ("Asha", "Ben", "Chitra", "Dev")


@dataclass(frozen=True, slots=True)
class Texts:
    """What people typed: names of the others, of the group, of what was paid for; and what they wrote about it."""

    group: str = "Goa trip"
    placeholder: str = "Ela"
    expenses: Sequence[str] = (
        "Villa, three nights",
        "Dinner at the shack",
        "Taxi from Dabolim",
        "Ferry tickets",
    )
    category: str = "food"
    note: str = "With the big veranda"
    comment: str = "Was the deposit in this?"
    preset: str = "Villa, by room"
    recurring: str = "Scooter rent"
    item: str = "Fish curry"
    loan: str = "For the scooter's deposit"


@dataclass(frozen=True, slots=True)
class Trip:
    """Where the screens are: ids for their paths."""

    group_id: str
    expense_id: str
    settlement_id: str
    """Paid to Asha, and not confirmed by her yet."""
    payer_id: str
    payee_id: str
    """Of a row of the plan."""
    recurrence_id: str
    loan_id: str
    """What Ben has borrowed from Asha."""
    friend_id: str
    """Ben."""

    def paths(self) -> dict[str, str]:
        """Every screen that a member sees, by a name for it."""
        group = f"#/g/{self.group_id}"
        pair = f"{self.payer_id}/{self.payee_id}"
        return {
            "groups": "#/",
            "new-group": "#/new",
            "join": "#/join",
            "feed": group,
            "invite": f"{group}/invite",
            "settings": f"{group}/settings",
            "add": f"{group}/add",
            "expense": f"{group}/e/{self.expense_id}",
            "edit": f"{group}/e/{self.expense_id}/edit",
            "search": f"{group}/search",
            "recurring": f"{group}/recurring",
            "add-recurring": f"{group}/add/repeating",
            "edit-recurring": f"{group}/recurring/{self.recurrence_id}",
            "presets": f"{group}/presets",
            "balances": f"{group}/balances",
            "pay": f"{group}/settle/{pair}",
            "payment": f"{group}/s/{self.settlement_id}",
            "explain": f"{group}/explain/{pair}",
            "loans": f"{group}/loans",
            "new-loan": f"{group}/loans/new",
            "loan": f"{group}/loans/{self.loan_id}",
            "repay": f"{group}/loans/{self.loan_id}/repay",
            "edit-loan": f"{group}/loans/{self.loan_id}/edit",
            "lend": "#/lend",
            "lend-to": f"#/lend/{self.friend_id}",
            "charts": f"{group}/charts",
            "history": f"{group}/history",
            "files": f"{group}/files",
            "activity": "#/activity",
            "friends": "#/friends",
            "me": "#/me",
            "sessions": "#/me/sessions",
            "tokens": "#/me/tokens",
            "admin": "#/admin",
            "outbox": "#/outbox",
            "nowhere": "#/no/such/place",
        }


async def make_trip(everybody: Sequence[Phone], texts: Texts) -> Trip:
    """The trip, of these four and a placeholder. The first one, who makes it, has a UPI id."""
    asha, ben, chitra, dev = everybody
    group_id = await asha.makes_group(ben, chitra, dev, name=texts.group)
    path = f"/groups/{group_id}"
    await asha.ok("POST", f"{path}/members", {"name": texts.placeholder})
    today = datetime.now(UTC).date()

    async def spent(who: Phone, index: int, amount: int, days_ago: int, **fields: object) -> Json:
        body = {"description": texts.expenses[index], "amount": amount, "splitType": "EQUAL", **fields}
        body["date"] = str(today - timedelta(days=days_ago))
        body.setdefault("participants", [it.user_id for it in everybody])
        return await who.ok("POST", f"{path}/expenses", body)

    villa = await spent(asha, 0, 24_000_00, 3, category="lodging", notes=texts.note)
    items = [
        {"name": texts.item, "amount": 1_250_00, "participants": [asha.user_id, ben.user_id]},
        {"name": "Thali", "amount": 960_00, "participants": [chitra.user_id, dev.user_id]},
    ]
    itemized = {"splitType": "ITEMIZED", "items": items, "participants": None}
    await spent(ben, 1, 2_431_00, 2, category=texts.category, **itemized)
    await spent(chitra, 2, 1_800_00, 2, category="taxi")
    await spent(dev, 3, 640_00, 1, category="transport", participants=[dev.user_id, ben.user_id])
    expense_id = str(villa["expense"]["id"])
    await ben.ok("POST", f"{path}/expenses/{expense_id}/comments", {"text": texts.comment})
    mended = {
        "amount": 24_600_00,
        "description": texts.expenses[0],
        "splitType": "EQUAL",
        "notes": texts.note,
    }
    mended |= {"category": "lodging", "participants": [it.user_id for it in everybody]}
    await asha.ok("PUT", f"{path}/expenses/{expense_id}", mended)
    shares = [
        {"userId": it.user_id, "value": weight} for it, weight in zip(everybody, (2, 1, 1, 1), strict=True)
    ]
    await asha.ok("POST", f"{path}/presets", {"name": texts.preset, "splitType": "SHARES", "splits": shares})
    schedule = {"frequency": "WEEKLY", "start": str(today + timedelta(days=3))}
    rent = {"description": texts.recurring, "amount": 1_400_00, "splitType": "EQUAL", "category": "transport"}
    repeats = await asha.ok("POST", f"{path}/recurrences", {"schedule": schedule, "expense": rent})
    await chitra.ok(
        "POST", f"{path}/settlements", {"toUserId": asha.user_id, "amount": 2_000_00, "utr": "123456789012"}
    )
    paid = await dev.ok("POST", f"{path}/settlements", {"toUserId": asha.user_id, "amount": 1_500_00})
    terms = {
        "principal": 5_000_00,
        "date": str(today - timedelta(days=40)),
        "dueDate": str(today - timedelta(days=3)),
    }
    terms |= {"interestRate": "6.5", "description": texts.loan, "borrowerId": ben.user_id}
    lent = await asha.ok("POST", f"{path}/loans", terms)
    back = {"toUserId": asha.user_id, "amount": 500_00, "loanId": lent["loan"]["id"], "paidOn": str(today)}
    await ben.ok("POST", f"{path}/settlements", back)
    await asha.makes_group(ben, name="Flat 4B")
    plan = (await asha.ok("GET", f"{path}/balances"))["settleUp"]
    row = next(it for it in plan if it["to"] == asha.user_id)
    return Trip(
        group_id,
        expense_id,
        str(paid["settlement"]["id"]),
        row["from"],
        row["to"],
        recurrence_id=str(repeats["recurrence"]["id"]),
        loan_id=str(lent["loan"]["id"]),
        friend_id=ben.user_id,
    )
