"""Loans at a terminal."""

from datetime import UTC, datetime, timedelta

from tests.client_cli.conftest import Person

A_YEAR_AGO = (datetime.now(UTC).date() - timedelta(days=365)).isoformat()
TODAY = datetime.now(UTC).date().isoformat()


def test_a_loan_between_two_needs_no_group(trip: tuple[Person, Person]) -> None:
    asha, ben = trip
    assert "No loans." in asha.says("loan", "list")
    said = asha.says(
        "loan", "add", "Ben", "5,000", "--due", "2090-01-31", "--interest", "6", "--for", "Deposit"
    )
    assert "You lent Ben ₹5,000.00, due 2090-01-31" in said
    (loan,) = ben.gets("loan", "list")["loans"]
    assert (loan["lenderName"], loan["borrowerName"], loan["principal"]) == ("Asha", "Ben", 500_000)
    (ledger,) = [it for it in ben.gets("group", "list")["groups"] if it["kind"] == "DIRECT"]
    assert (ledger["name"], ledger["id"]) == ("Asha", loan["groupId"])
    listed = ben.says("loan", "list")
    assert "2090-01-31" in listed
    assert "6%" in listed
    assert "noted that Asha lent you ₹5,000.00" in ben.says("history", "--group", "Asha")
    # The only real group is still the one that is meant.
    assert "Goa" in asha.says("group", "show")


def test_a_loan_is_repaid_through_a_payment_that_its_lender_confirms(trip: tuple[Person, Person]) -> None:
    asha, ben = trip
    added = ("loan", "add", "Asha", "10,000", "--from-them", "--interest", "6.5", "--date", A_YEAR_AGO)
    loan = ben.gets(*added, "--group", "Goa")["loan"]
    assert ben.gets("loan", "list", "--on", TODAY)["loans"][0]["toRepay"] == 1_065_000
    assert "for a loan: pending" in ben.says("loan", "repay", "Asha", "1,000")
    assert asha.gets("confirm")["settlement"]["repayment"]["interest"] >= 65_000
    assert ben.gets("loan", "list")["loans"][0]["id"] == loan["id"]


def test_all_of_a_loan_is_repaid_unless_told(trip: tuple[Person, Person]) -> None:
    asha, ben = trip
    loan = ben.gets("loan", "add", "Asha", "100", "--from-them", "--group", "Goa")["loan"]
    paid = ben.gets("loan", "repay", loan["id"][-8:])["settlement"]
    assert (paid["amount"], paid["loanId"]) == (10_000, loan["id"])
    asha.says("confirm", paid["id"], "--group", "Goa")
    assert ben.gets("loan", "list")["loans"] == []
    assert "repaid" in ben.says("loan", "list", "--all")


def test_a_loan_is_edited_deleted_and_restored(trip: tuple[Person, Person]) -> None:
    asha, ben = trip
    asha.says("loan", "add", "Ben", "500", "--due", "2090-01-31", "--interest", "5", "--group", "Goa")
    edited = ben.gets("loan", "edit", "Asha", "--amount", "600", "--due", "never", "--interest", "0")["loan"]
    assert (edited["principal"], edited["dueDate"], edited["interestRate"]) == (60_000, None, None)
    asha.says("--offline", "loan", "edit", "Ben", "--due", "2090-01-31")
    assert asha.gets("sync") == {"waiting": 0, "refused": 1}  # rather than ₹500.00 at 5% again
    assert asha.gets("loan", "edit", "Ben", "--for", "Tea")["loan"]["description"] == "Tea"
    assert "You lent Ben ₹600.00: deleted" in asha.says("loan", "delete", "Tea")
    assert asha.fails(2, "loan", "delete", "Tea")["code"] == "unknown_name"
    assert ben.gets("loan", "restore", "Tea")["loan"]["status"] == "OPEN"
    history = asha.says("history", "--group", "Goa")
    for done in ("changed the loan: you lent Ben ₹600.00", "deleted the loan", "restored the loan"):
        assert done in history
    assert asha.fails(2, "loan", "add", "me", "5")["code"] == "usage"
    assert asha.fails(1, "loan", "add", "Ben", "5", "--interest", "six")["code"] == "validation_failed"
