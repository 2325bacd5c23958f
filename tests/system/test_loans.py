"""Loans, in a group and between two people outside of one, over REST and sockets."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from persplit.bootstrap import Node
from persplit.ledger.direct import direct_ledger_id
from tests.system.conftest import MakePhone
from tests.system.phone import PASSWORD, Json, Phone, key

TODAY = datetime.now(UTC).date()
ANY_DAY = "2026-01-01"


def days_ago(days: int) -> str:
    return (TODAY - timedelta(days)).isoformat()


async def friends(phones: MakePhone, *, online: bool = False) -> tuple[Phone, Phone]:
    """Two who share a group."""
    asha, ben = await phones("Asha", online=online), await phones("Ben", online=online)
    await asha.makes_group(ben)
    return asha, ben


async def test_a_loan_is_heard_repaid_through_a_settlement_and_listed(phones: MakePhone) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    group_id = await asha.makes_group(ben)
    await ben.connect()
    here = f"/groups/{group_id}"
    terms: Json = {"principal": 1_000_000, "date": days_ago(365), "interestRate": "06.50"}
    lent = (await asha.ok("POST", f"{here}/loans", {**terms, "borrowerId": ben.user_id}))["loan"]
    assert (lent["lenderId"], lent["interestRate"], lent["status"]) == (asha.user_id, "6.5", "OPEN")
    heard = await ben.hears("loan:created")
    assert heard["loan"] == lent
    assert {row["amount"] for row in heard["updatedBalances"]} == {0}
    (listed,) = (await ben.ok("GET", f"{here}/loans?on={TODAY.isoformat()}"))["loans"]
    assert (listed["interestDue"], listed["toRepay"], listed["overdue"]) == (65_000, 1_065_000, False)
    paid = {"toUserId": asha.user_id, "amount": 1_070_000, "loanId": lent["id"]}
    payment = (await ben.ok("POST", f"{here}/settlements", paid))["settlement"]
    done = await asha.ok("POST", f"{here}/settlements/{payment['id']}/confirm")
    repayment = done["settlement"]["repayment"]
    assert repayment["principal"] == 1_000_000
    assert 65_000 <= repayment["interest"] <= 65_200  # midnight may have passed
    told = await ben.hears("settlement:completed")
    assert (told["loan"]["status"], told["loan"]["outstanding"]) == ("REPAID", 0)
    rest = 1_070_000 - repayment["principal"] - repayment["interest"]
    assert {row["userId"]: row["amount"] for row in told["updatedBalances"]} == {
        asha.user_id: -rest,
        ben.user_id: rest,
    }
    one = await ben.ok("GET", f"{here}/loans/{lent['id']}")
    assert (one["toRepay"], one["interestPaid"]) == (0, repayment["interest"])
    statistics = await asha.ok("GET", f"{here}/statistics")
    assert statistics["amount"] == 0


async def test_a_loan_outside_of_a_group_makes_the_ledger_of_the_two(phones: MakePhone) -> None:
    asha, ben = await friends(phones, online=True)
    terms: Json = {"principal": 5_000, "date": ANY_DAY, "borrowerId": ben.user_id}
    lent = (await asha.ok("POST", "/loans", terms))["loan"]
    ledger_id = lent["groupId"]
    assert ledger_id == direct_ledger_id(ben.user_id, asha.user_id, "INR")
    assert (await ben.hears("loan:created"))["loan"] == lent
    (ledger,) = [g for g in (await ben.ok("GET", "/groups"))["groups"] if g["kind"] == "DIRECT"]
    assert (ledger["id"], {member["role"] for member in ledger["members"]}) == (ledger_id, {"ADMIN"})
    # Back, on a socket, and in it whatever a group can do.
    back = await ben.done("loan:create", principal=2_000, date=ANY_DAY, borrowerId=asha.user_id)
    assert back["loan"]["groupId"] == ledger_id
    await ben.spends(ledger_id, 300)
    balances = await asha.ok("GET", f"/groups/{ledger_id}/balances")
    assert [row["amount"] for row in balances["settleUp"]] == [150]
    euros = (await asha.ok("POST", "/loans", {**terms, "currency": "EUR"}))["loan"]
    assert euros["groupId"] == direct_ledger_id(asha.user_id, ben.user_id, "EUR")


async def test_the_same_request_again_is_the_same_loan_whichever_way_it_comes(phones: MakePhone) -> None:
    asha, ben = await friends(phones, online=True)
    terms: Json = {"principal": 5_000, "date": ANY_DAY, "borrowerId": ben.user_id}
    once = key()
    lent = await asha.ok("POST", "/loans", terms, idempotency_key=once)
    again = await asha.done("loan:create", **terms, commandId=once)
    assert (again["loan"], again["replayed"]) == (lent["loan"], True)
    here = {"groupId": lent["loan"]["groupId"]}
    twice = key()
    first = await asha.ok("POST", f"/groups/{here['groupId']}/loans", terms, idempotency_key=twice)
    assert (await asha.done("loan:create", **terms, **here, commandId=twice))["loan"] == first["loan"]


async def test_two_who_lend_at_the_same_moment_have_one_ledger(phones: MakePhone) -> None:
    asha, ben = await friends(phones)
    terms: Json = {"principal": 5_000, "date": ANY_DAY}
    answers = await asyncio.gather(
        *(
            lender.ok("POST", "/loans", {**terms, "borrowerId": borrower.user_id})
            for lender, borrower in [(asha, ben), (ben, asha)] * 3
        )
    )
    (ledger_id,) = {answer["loan"]["groupId"] for answer in answers}
    loans = (await asha.ok("GET", f"/groups/{ledger_id}/loans"))["loans"]
    assert len(loans) == 6
    events = (await ben.ok("GET", f"/groups/{ledger_id}/events?limit=50"))["events"]
    assert [event["type"] for event in events] == ["group:created", "member:joined", *["loan:created"] * 6]


async def test_a_ledger_of_two_whose_making_broke_off_is_completed_by_either(
    server: tuple[Node, str], phones: MakePhone
) -> None:
    services = server[0].services
    for who_completes in (0, 1):
        asha, ben = await friends(phones)
        me = await services.accounts.profile(asha.user_id)
        ledgers = services.direct_ledgers
        group_id = direct_ledger_id(asha.user_id, ben.user_id, "INR")
        await ledgers._made(group_id, me, "INR", "UTC")
        assert (await ben.rest("GET", f"/groups/{group_id}")).status == 404
        caller, named = ((asha, ben), (ben, asha))[who_completes]
        opened = await caller.ok("POST", f"/people/{named.user_id}/ledger", {})
        assert {member["userId"] for member in opened["group"]["members"]} == {asha.user_id, ben.user_id}
        again = await caller.ok("POST", f"/people/{named.user_id}/ledger", {})
        assert (opened["replayed"], again["replayed"], again["seq"]) == (False, True, 2)


async def test_strangers_and_guests_have_no_ledger_with_anybody(phones: MakePhone) -> None:
    asha, stranger = await phones("Asha"), await phones("Chitra")
    group_id = await asha.makes_group()
    for user_id in (stranger.user_id, "nobody"):
        refused = await asha.rest("POST", f"/people/{user_id}/ledger", {})
        assert (refused.status, refused.code) == (404, "not_found")
    refused = await asha.rest("POST", f"/people/{asha.user_id}/ledger", {})
    assert (refused.status, refused.code) == (422, "validation_failed")
    code = (await asha.ok("POST", f"/groups/{group_id}/invites"))["code"]
    guest = await phones()
    joined = {"key": "7d2f4c1e-9b3a-4e58-8f60-1c2d3e4f5a6b", "name": "Gita", "code": code}
    guest.take(await guest.ok("POST", "/guests", joined))
    assert (await asha.rest("POST", f"/people/{guest.user_id}/ledger", {})).status == 404
    assert (await guest.rest("POST", f"/people/{asha.user_id}/ledger", {})).code == "account_needed"
    terms: Json = {"principal": 1, "borrowerId": asha.user_id}
    assert (await guest.rest("POST", "/loans", terms)).code == "account_needed"
    await guest.ok("POST", f"/groups/{group_id}/loans", terms)


async def test_a_ledger_of_two_stays_one_of_two(phones: MakePhone) -> None:
    asha, ben = await friends(phones)
    chitra = await phones("Chitra")
    opened = (await asha.ok("POST", f"/people/{ben.user_id}/ledger", {"timeZone": "Asia/Kolkata"}))["group"]
    assert (opened["name"], opened["timeZone"]) == ("Ledger of two", "Asia/Kolkata")
    here = f"/groups/{opened['id']}"
    for method, path, body in (
        ("POST", f"{here}/members", {"name": "Uncle"}),
        ("POST", f"{here}/members", {"email": "nobody@example.org"}),
        ("POST", f"{here}/invites", {}),
        ("DELETE", f"{here}/members/{ben.user_id}", {}),
        ("PATCH", f"{here}/members/{ben.user_id}", {"role": "MEMBER"}),
        ("PUT", f"{here}/members/{ben.user_id}/unit", {"unit": "Rao"}),
        ("DELETE", f"{here}/leave", {}),
        ("PATCH", here, {"name": "Mine"}),
        ("PATCH", here, {"currency": "EUR"}),
        ("PATCH", here, {"joinPassword": "a long passphrase"}),
    ):
        refused = await asha.rest(method, path, body)
        assert (refused.status, refused.code) == (403, "forbidden"), (method, path, body)
    await ben.ok("PATCH", here, {"simplify": False, "archived": True})
    await asha.ok("PATCH", here, {"archived": False})
    # Nobody takes the id of two others first.
    taken = direct_ledger_id(asha.user_id, chitra.user_id, "INR")
    squatted = await ben.rest("POST", "/groups", {"name": "Mine", "groupId": taken})
    assert [error["path"] for error in squatted.body["errors"]] == ["groupId"]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"principal": 0}, "principal"),
        ({"principal": 1.5}, "principal"),
        ({"interestRate": 6.5}, "interestRate"),
        ({"interestRate": "0"}, "interestRate"),
        ({"interestRate": "101"}, "interestRate"),
        ({"dueDate": "2026-02-30"}, "dueDate"),
        ({"dueDate": "2025-12-31"}, "dueDate"),
        ({"date": "2150-01-01"}, "date"),
        ({"description": "\u202e"}, "description"),
        ({"borrowerId": None}, ""),
        ({"currency": "EUR"}, "currency"),
    ],
)
async def test_bad_terms_name_their_fields(phones: MakePhone, fields: Json, path: str) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    group_id = await asha.makes_group(ben)
    terms: Json = {"principal": 5_000, "date": ANY_DAY, "borrowerId": ben.user_id, **fields}
    refused = await asha.rest("POST", f"/groups/{group_id}/loans", terms)
    assert (refused.status, [error["path"] for error in refused.body["errors"]]) == (422, [path])


async def test_loans_are_changed_deleted_restored_and_conflicts_tell_the_present_version(
    phones: MakePhone,
) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    group_id = await asha.makes_group(ben)
    path = f"/groups/{group_id}/loans"
    terms: Json = {"principal": 5_000, "date": ANY_DAY}
    lent = (await asha.ok("POST", path, {**terms, "borrowerId": ben.user_id}))["loan"]
    one = f"{path}/{lent['id']}"
    changed = (await ben.ok("PUT", one, {**terms, "principal": 6_000, "expectedSeq": lent["seq"]}))["loan"]
    late = await asha.rest("PUT", one, {**terms, "expectedSeq": lent["seq"]})
    assert (late.code, late.body["current"]) == ("conflict", changed)
    deleted = (await ben.ok("DELETE", one))["loan"]
    assert (deleted["status"], (await ben.rest("DELETE", one)).code) == ("DELETED", "conflict")
    assert (await asha.ok("POST", f"{one}/restore"))["loan"]["status"] == "OPEN"
    assert (await asha.rest("GET", f"{path}/none")).status == 404
    assert (await asha.rest("GET", f"{path}?on=9000-01-01")).status == 422
    assert (await asha.rest("DELETE", f"/groups/{group_id}/members/{ben.user_id}")).code == "balance_not_zero"


async def test_a_loan_outlives_the_account_and_is_in_its_own_file(phones: MakePhone) -> None:
    asha, ben = await friends(phones)
    chitra = await phones("Chitra")
    group_id = await asha.makes_group(ben, chitra)
    terms: Json = {"principal": 5_000, "date": ANY_DAY, "borrowerId": ben.user_id}
    outside = (await asha.ok("POST", "/loans", terms))["loan"]
    inside = (await asha.ok("POST", f"/groups/{group_id}/loans", terms))["loan"]
    await asha.ok("POST", f"/groups/{group_id}/loans", {**terms, "borrowerId": chitra.user_id})
    friend = next(it for it in (await ben.ok("GET", "/balances/friends"))["friends"])
    assert (friend["balances"], friend["loans"]) == ([], [{"currency": "INR", "amount": -10_000}])
    paid = {"toUserId": asha.user_id, "amount": 1_000, "loanId": inside["id"]}
    payment = (await ben.ok("POST", f"/groups/{group_id}/settlements", paid))["settlement"]
    await asha.ok("POST", f"/groups/{group_id}/settlements/{payment['id']}/confirm")
    file = await ben.ok("GET", "/auth/me/export.json")
    kept = {loan["id"]: loan["outstanding"] for group in file["groups"] for loan in group["loans"]}
    assert kept == {outside["id"]: 5_000, inside["id"]: 4_000}
    assert (await ben.rest("DELETE", "/auth/me", {"password": PASSWORD})).status == 204
    ledger = await asha.ok("GET", f"/groups/{outside['groupId']}")
    assert [(it["name"], it["placeholder"]) for it in ledger["members"]] == [("Asha", False), ("Ben", True)]
    path = f"/groups/{outside['groupId']}/settlements"
    rest = {"fromUserId": ben.user_id, "toUserId": asha.user_id, "amount": 5_000, "loanId": outside["id"]}
    last = (await asha.ok("POST", path, rest))["settlement"]
    await asha.ok("POST", f"{path}/{last['id']}/confirm")
    (loan,) = (await asha.ok("GET", f"/groups/{outside['groupId']}/loans"))["loans"]
    assert loan["status"] == "REPAID"


async def test_who_only_notes_for_others_does_so_in_a_group(phones: MakePhone) -> None:
    asha, ben = await friends(phones)
    terms: Json = {"principal": 5_000, "lenderId": ben.user_id, "borrowerId": ben.user_id}
    assert (await asha.rest("POST", "/loans", terms)).code == "forbidden"
    terms = {"principal": 5_000, "lenderId": asha.user_id}
    assert (await asha.rest("POST", "/loans", terms)).status == 422
