"""Loans to plain JSON objects and back, for the wire and the stores."""

from persplit.ledger.draft_codec import Json
from persplit.ledger.loan import Loan, LoanDraft, Repayment


def loan_to_json(loan: Loan, group_id: str) -> Json:
    """A loan as it stands. `status` is for who reads it: it follows from the rest."""
    return {
        "id": loan.id,
        "groupId": group_id,
        "seq": loan.seq,
        "lenderId": loan.lender_id,
        "borrowerId": loan.borrower_id,
        "principal": loan.principal,
        "date": loan.date,
        "dueDate": loan.due_date,
        "interestRate": loan.rate,
        "description": loan.description,
        "status": loan.status.value,
        "outstanding": loan.outstanding,
        "interestOwed": loan.interest_owed,
        "interestParts": loan.interest_parts,
        "interestPaid": loan.interest_paid,
        "accruedThrough": loan.accrued_through,
        "createdBy": loan.created_by,
        "createdAt": loan.created_at,
        "updatedAt": loan.updated_at,
        "deletedAt": loan.deleted_at,
    }


def loan_from_json(stored: Json) -> Loan:
    """What `loan_to_json` made."""
    return Loan(
        id=stored["id"],
        seq=stored["seq"],
        lender_id=stored["lenderId"],
        borrower_id=stored["borrowerId"],
        principal=stored["principal"],
        date=stored["date"],
        due_date=stored["dueDate"],
        rate=stored["interestRate"],
        description=stored["description"],
        outstanding=stored["outstanding"],
        interest_owed=stored["interestOwed"],
        interest_parts=stored["interestParts"],
        interest_paid=stored["interestPaid"],
        accrued_through=stored["accruedThrough"],
        created_by=stored["createdBy"],
        created_at=stored["createdAt"],
        updated_at=stored["updatedAt"],
        deleted_at=stored["deletedAt"],
    )


def loan_draft_to_json(draft: LoanDraft) -> Json:
    """The terms, as `loan:create` and `loan:update` take them; what isn't told is left out."""
    told: Json = {
        "principal": draft.principal,
        "date": draft.date,
        "dueDate": draft.due_date,
        "interestRate": draft.rate,
        "description": draft.description,
    }
    return {name: value for name, value in told.items() if value is not None}


def loan_draft_from_json(fields: Json) -> LoanDraft:
    """What `loan_draft_to_json` made."""
    return LoanDraft(
        principal=fields["principal"],
        date=fields.get("date"),
        due_date=fields.get("dueDate"),
        rate=fields.get("interestRate"),
        description=fields.get("description"),
    )


def repayment_to_json(repayment: Repayment) -> Json:
    """What of a payment repaid a loan."""
    return {"interest": repayment.interest, "principal": repayment.principal}


def repayment_from_json(stored: Json) -> Repayment:
    """What `repayment_to_json` made."""
    return Repayment(stored["interest"], stored["principal"])
