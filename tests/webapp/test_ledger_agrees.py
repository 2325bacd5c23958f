"""The page reckons as the server does: the same shares, conversions and balances, and it refuses the same."""

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Final
from unittest import mock
from uuid import UUID

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from persplit.client.drafts import draft_to_wire, loan_to_wire
from persplit.ledger import codec
from persplit.ledger import commands as c
from persplit.ledger.conversion import canonical_rate, converted, in_proportion
from persplit.ledger.direct import direct_ledger_id
from persplit.ledger.draft_codec import splits_to_json
from persplit.ledger.errors import BalanceNotZero, Invalid, LedgerError
from persplit.ledger.events import RecordedEvent
from persplit.ledger.expense import SHARES_VALUE_MAX, VALUE_SCALE, Item, SplitType, SplitValue
from persplit.ledger.loan import Loan, repaid
from persplit.ledger.loan import canonical_rate as interest_rate
from persplit.ledger.loan_codec import loan_to_json
from persplit.ledger.money import AMOUNT_MAX, CURRENCIES, decimal_text, minor_digits
from persplit.ledger.split import shares_of
from persplit.ledger.state import GroupState, apply
from tests.ledger.given import LONG_PROPERTY, Ledger, histories, instant
from tests.webapp.conftest import Json, Page

ROUNDS: Final = 300
"""Random cases of what is quickly worked out."""


def event_json(recorded: RecordedEvent) -> Json:
    """The event as the page has it: with what the wire leaves out."""
    told: Json = with_defaults(codec.event_to_json(recorded))
    return told


def with_defaults(told: Any) -> Any:
    """What the wire leaves out where it is as usual, put in."""
    if isinstance(told, list):
        return [with_defaults(one) for one in told]
    if not isinstance(told, dict):
        return told
    full = {
        key: with_defaults(value) for key, value in told.items() if value is not None or key != "original"
    }
    if "splitType" in full and "shares" in full:
        full.setdefault("kind", "EXPENSE")
    if "placeholder" in full:
        full.setdefault("weight", 1)
    return full


# --- shares and conversion


def some_people(dice: random.Random) -> list[str]:
    return [f"{dice.getrandbits(64):x}" for _ in range(dice.randint(1, 12))]


def some_values(
    dice: random.Random, split_type: SplitType, amount: int, people: list[str]
) -> list[SplitValue]:
    """Mostly such as come to the amount."""

    def cut(total: int) -> list[int]:
        edges = sorted(dice.randint(0, total) for _ in people[1:])
        return [high - low for low, high in zip([0, *edges], [*edges, total], strict=True)]

    match split_type:
        case SplitType.EXACT:
            values = cut(amount + dice.choice([0, 0, 1]))
        case SplitType.PERCENTAGE:
            values = cut(100 * VALUE_SCALE - dice.choice([0, 0, 1]))
        case SplitType.SHARES:
            values = [
                dice.choice([dice.randint(1, 9) * VALUE_SCALE, dice.randint(1, SHARES_VALUE_MAX)])
                for _ in people
            ]
        case SplitType.ADJUSTMENT:
            most = amount // len(people)
            values = [dice.randint(-most, most) for _ in people]
        case _:
            return []
    return [SplitValue(user, value) for user, value in zip(people, values, strict=True)]


def test_shares_are_the_servers_to_the_last_unit(page: Page) -> None:
    dice = random.Random(20260301)  # noqa: S311 - no secret
    divisions: list[Json] = []
    expected: list[Any] = []
    for number in range(ROUNDS):
        amount = dice.choice([dice.randint(1, 300), dice.randint(1, AMOUNT_MAX)])
        people, split_type = some_people(dice), dice.choice(list(SplitType))
        values = some_values(dice, split_type, amount, people)
        items = [
            Item(
                f"line {line}",
                dice.randint(1, 10**6),
                tuple(dice.sample(people, dice.randint(1, len(people)))),
            )
            for line in range(dice.randint(1, 5))
        ]
        divisions.append(
            {
                "expenseId": f"expense-{number}",
                "amount": amount,
                "splitType": split_type,
                "sharers": people,
                "splits": splits_to_json(tuple(values), split_type),
                "items": [
                    {"name": i.name, "amount": i.amount, "participants": i.participants} for i in items
                ],
            }
        )
        try:
            found = shares_of(f"expense-{number}", amount, split_type, people, values, items)
            expected.append([{"userId": share.user_id, "amount": share.amount} for share in found])
        except Invalid as error:
            expected.append({"refused": error.code, "paths": [it.path for it in error.errors]})
    assert sum(isinstance(one, list) for one in expected) > ROUNDS // 2
    assert page.ask(way="divided", divisions=divisions) == expected


def test_other_currencies_are_converted_as_the_server_does(page: Page) -> None:
    dice = random.Random(20260302)  # noqa: S311 - no secret
    conversions, expected = [], []
    for _ in range(ROUNDS):
        amount, rate = dice.randint(1, 10**9), f"{dice.randint(0, 999)}.{dice.randint(1, 10**6):06}0"
        currency, into = dice.choice(["EUR", "JPY", "KWD", "CLF"]), dice.choice(["INR", "JPY", "KWD"])
        parts = [dice.randint(1, 1000) for _ in range(dice.randint(1, 9))]
        conversions.append(
            {"amount": amount, "currency": currency, "rate": rate, "into": into, "parts": parts}
        )
        exact = canonical_rate(rate)
        whole = converted(amount, currency, exact, into)
        expected.append({"rate": exact, "amount": whole, "parts": in_proportion(whole, parts)})
    assert page.ask(way="converted", conversions=conversions) == expected


def test_interest_is_the_servers_however_a_loan_is_repaid(page: Page) -> None:
    dice = random.Random(20260303)  # noqa: S311 - no secret
    loans, expected = [], []
    for number in range(ROUNDS):
        principal = dice.choice([dice.randint(1, 10**6), dice.randint(1, AMOUNT_MAX)])
        rate = dice.choice([None, "6.50", f"{dice.randint(0, 99)}.{dice.randint(1, 9_999):04}"])
        given_rate = None if rate is None else interest_rate(rate)
        day = date(1996, 2, 28) + timedelta(days=dice.randint(0, 9_000))
        loan = Loan(
            *(
                f"l{number}",
                1,
                "u1",
                "u2",
                principal,
                day.isoformat(),
                None,
                given_rate,
                None,
                principal,
                0,
                0,
                0,
            ),
            *(day.isoformat(), "u1", instant(1), instant(1)),
        )
        payments: list[Json] = []
        told = loan_to_json(loan, "g1")
        for _ in range(dice.randint(1, 4)):
            day += timedelta(days=dice.randint(0, 700))
            payments.append({"amount": dice.randint(1, principal), "day": day.isoformat()})
            loan, _ = repaid(loan, payments[-1]["amount"], payments[-1]["day"])
        loans.append({"loan": told, "rate": rate, "payments": payments})
        expected.append({"loan": loan_to_json(loan, "g1"), "rate": given_rate})
    assert page.ask(way="repaid", loans=loans) == expected


def test_every_currency_is_written_with_its_digits(page: Page) -> None:
    amounts = [(amount, code) for code in sorted(CURRENCIES) for amount in (0, 7, -120_050, AMOUNT_MAX)]
    written = [[minor_digits(code), decimal_text(amount, code)] for amount, code in amounts]
    assert page.ask(way="written", amounts=amounts) == written


def test_the_ledger_of_two_people_has_the_servers_id(page: Page) -> None:
    dice = random.Random(20260305)  # noqa: S311 - no secret
    pairs = [
        (
            str(UUID(int=dice.getrandbits(128))),
            str(UUID(int=dice.getrandbits(128))),
            dice.choice(["INR", "EUR"]),
        )
        for _ in range(50)
    ]
    assert page.ask(way="met", pairs=pairs) == [direct_ledger_id(*pair) for pair in pairs]


# --- whole lives of groups

_WIRE: Final[dict[type[c.Command], tuple[str, Callable[[Any], Json]]]] = {
    c.CreateExpense: ("expense:create", lambda it: {"id": it.expense_id, **draft_to_wire(it.draft)}),
    c.UpdateExpense: (
        "expense:update",
        lambda it: {"expenseId": it.expense_id, **draft_to_wire(it.draft)},
    ),
    c.DeleteExpense: ("expense:delete", lambda it: {"expenseId": it.expense_id}),
    c.RestoreExpense: ("expense:restore", lambda it: {"expenseId": it.expense_id}),
    c.CreateSettlement: (
        "settlement:create",
        lambda it: {
            "id": it.settlement_id,
            "toUserId": it.to_id,
            "amount": it.amount,
            **({} if it.from_id is None else {"fromUserId": it.from_id}),
            **({} if it.loan_id is None else {"loanId": it.loan_id}),
            **({} if it.paid_on is None else {"paidOn": it.paid_on}),
        },
    ),
    c.CreateLoan: (
        "loan:create",
        lambda it: {
            "id": it.loan_id,
            "lenderId": it.lender_id,
            "borrowerId": it.borrower_id,
            **loan_to_wire(it.draft),
        },
    ),
    c.UpdateLoan: ("loan:update", lambda it: {"loanId": it.loan_id, **loan_to_wire(it.draft)}),
    c.DeleteLoan: ("loan:delete", lambda it: {"loanId": it.loan_id}),
    c.RestoreLoan: ("loan:restore", lambda it: {"loanId": it.loan_id}),
    c.ConfirmSettlement: ("settlement:confirm", lambda it: {"settlementId": it.settlement_id}),
    c.DeclineSettlement: ("settlement:decline", lambda it: {"settlementId": it.settlement_id}),
    c.CancelSettlement: ("settlement:cancel", lambda it: {"settlementId": it.settlement_id}),
    c.RemoveMember: ("member:remove", lambda it: {"userId": it.user_id}),
    c.ChangeUnit: ("member:unit", lambda it: {"userId": it.user_id, "unit": it.unit}),
    c.UpdateGroup: ("group:update", lambda it: {"simplify": it.simplify, "name": it.name}),
    c.AddComment: (
        "comment:add",
        lambda it: {"id": it.comment_id, "expenseId": it.expense_id, "text": it.text},
    ),
    c.DeleteComment: (
        "comment:delete",
        lambda it: {"expenseId": it.expense_id, "commentId": it.comment_id},
    ),
}
"""The commands that a page sends, as it does."""


def wire_of(command: c.Command) -> Json | None:
    """The command as the page sends it; None where it doesn't, or the wire takes no such thing."""
    if isinstance(command, c.AddMember):
        if not command.placeholder:
            return None
        return {"type": "member:add", "fields": {"id": command.user_id, "name": command.name}}
    if type(command) not in _WIRE:
        return None
    name, fields = _WIRE[type(command)]
    try:
        return {"type": name, "fields": fields(command)}
    except Invalid:
        return None


class Asked:
    """Everything that was asked of ledgers, and what came of it."""

    def __init__(self) -> None:
        self.intents: list[Json] = []
        self.outcomes: list[Json] = []
        self._try_to = Ledger.try_to

    def try_to(self, ledger: Ledger, actor: str, command: c.Command) -> LedgerError | None:
        """In place of `Ledger.try_to`."""
        seq, was_pairwise = ledger.seq, not ledger.group.settings.simplify
        refusal = self._try_to(ledger, actor, command)
        wire = wire_of(command)
        # What two people owe each other, the page doesn't know.
        is_beyond = (
            was_pairwise and isinstance(command, c.RemoveMember) and isinstance(refusal, BalanceNotZero)
        )
        if wire is not None and not is_beyond:
            identified = {**wire, "commandId": f"c{seq + 1}", "groupId": ledger.group.group_id}
            self.intents.append({"seq": seq, "actor": actor, "now": instant(seq + 1), "command": identified})
            self.outcomes.append(
                event_json(ledger.events[-1])
                if refusal is None
                else {"refused": refusal.code, "paths": [error.path for error in refusal.errors]}
            )
        return refusal


def state_json(state: GroupState) -> Json:
    """The part of a state that the page has, too."""
    return {
        "balances": dict(state.balances),
        "claims": dict(state.claims),
        "members": [with_defaults(codec.member_to_json(member)) for member in state.members.values()],
        "pending": [codec.settlement_to_json(it, state.group_id) for it in state.pending.values()],
        "loans": [loan_to_json(loan, state.group_id) for loan in state.loans.values()],
        "counts": [state.expense_count, state.settlement_count],
    }


@settings(LONG_PROPERTY, phases=[Phase.generate], max_examples=40)
@given(data=st.data())
def test_a_group_lives_the_same_life_on_the_page(page: Page, data: st.DataObject) -> None:
    asked = Asked()

    def try_to(ledger: Ledger, actor: str, command: c.Command) -> LedgerError | None:
        return asked.try_to(ledger, actor, command)

    with mock.patch.object(Ledger, "try_to", try_to):
        ledger = data.draw(histories())
    found = page.ask(
        way="lived", events=[event_json(event) for event in ledger.events], intents=asked.intents
    )
    states, state = [], None
    for recorded in ledger.events:
        state = apply(state, recorded)
        states.append(state_json(state))
    assert found["states"] == states
    for intent, answer, outcome in zip(asked.intents, found["answers"], asked.outcomes, strict=True):
        assert answer == outcome, intent
