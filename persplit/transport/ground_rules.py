"""What holds for every request and every event, in words: shown at the top of each document."""

from typing import Final, NamedTuple

from persplit.transport.engine import FRAME_BYTES_MAX
from persplit.transport.json_text import DEPTH_MAX
from persplit.transport.problems import ERRORS_MAX
from persplit.transport.rest import BODY_BYTES_MAX, BODY_SECONDS_MAX


class Rule(NamedTuple):
    """One rule: what it is about, and its sentences. Backticks mark code."""

    title: str
    text: str


_SIZES: Final = (
    f"A REST body has at most {BODY_BYTES_MAX // 1024} KiB, arrives within {BODY_SECONDS_MAX:g} seconds and is not "
    f"compressed; a message on a socket has at most {FRAME_BYTES_MAX // 1024} KiB. JSON nests at most {DEPTH_MAX} "
    f"levels deep. At most {ERRORS_MAX} bad fields are named at once."
)

GROUND_RULES: Final = (
    Rule(
        "One object",
        "Everything is JSON in UTF-8 with camelCase keys: one object per request, answer, message and ack, never a "
        "bare list. A request with an unknown field is refused, so that a typing mistake does not pass as an "
        "omission. An answer may gain fields: ignore those that you do not know. In a request, null in an optional "
        "field means the same as leaving it out, unless the field's description says what null does.",
    ),
    Rule(
        "Money",
        "An amount is an integer in the minor unit of the group's currency: 120000 is ₹1,200.00, and 500 in a group "
        "in JPY is ¥500. Nothing is rounded: a float, a string, a boolean, or zero where it makes no sense is "
        "refused. The largest amount is 10000000000000 (10^13). The shares of an expense sum to its amount and the "
        "balances of a group sum to zero, exactly and always. A positive balance is owed to that person.",
    ),
    Rule(
        "Other currencies",
        "An expense may be sent in another `currency` than the group's, at a `rate`: major units of the group's for one "
        "of it, as a decimal text. Its amount is converted once, rounded to the nearest minor unit, half a unit up; "
        "what people paid and bear is the converted amount divided in proportion, so that it sums to it. The rate "
        "stays with the expense, and so does what was sent, in `original`. Minor units have the digits of ISO 4217: "
        "none for JPY, three for KWD.",
    ),
    Rule(
        "Loans",
        "A loan has terms, so it stands beside balances and plan: `loan:create` moves no balance, and the plan never asks "
        "for it. A settlement from the borrower to the lender that names it, `loanId`, repays it once it is confirmed: "
        "first the interest that is owed, then the principal; what is more moves balances. `repayment` says how it was "
        "divided, and `settlement:completed` has the `loan` after it. Interest is simple: `outstanding` times `interestRate` "
        "percent times days / 365, in days of the group's time zone, from the loan's `date` to the day on which it was "
        "paid, `paidOn`, whenever that is confirmed: the receiver answers payments in the order of these days, else "
        "`settlement_pending`. One that is noted only after a later one counted is as of that one's day. It is rounded to the minor unit, half a unit up; what rounding leaves is "
        "carried on, so that in any number of parts the interest is the exact sum, rounded once. Interest bears no "
        "interest. `loan:delete` takes a loan away that is a mistake, or forgives what is left of it. Outside of a group two people have a ledger for each currency, a group with `kind: DIRECT`: "
        "`direct:open`, or `loan:create` without a `groupId`, makes it on first use, for people who share a group; both "
        "are its admins, and nobody comes or goes. They have one in ten currencies at most. Show it by the other one's name: "
        "its own `name` says nothing.",
    ),
    Rule(
        "Time",
        "Instants are RFC 3339 in UTC with milliseconds and come from the server's clock. The date of an expense is "
        "the client's calendar day, YYYY-MM-DD.",
    ),
    Rule(
        "Ids",
        "Ids are opaque strings. A client that works offline may choose the id of what it makes: a UUID "
        "(version 7 is best) that is new.",
    ),
    Rule(
        "Who asks",
        "An account's access token opens all of its groups. A guest's, from `POST /guests`, opens one group: all else is "
        "refused with `account_needed`, another group with `not_found`; after `POST /auth/upgrade` a refresh brings a "
        "token for everything. A personal token (`POST /auth/tokens`) goes where an access token goes, over REST and as "
        "the `token` of a socket: what its scope or its one group doesn't cover is refused with `scope_insufficient`, as "
        "is everything about the account itself.",
    ),
    Rule(
        "Members and their ids",
        "A placeholder is a member with no account: an admin answers for them. Who claims one on joining has `claimed`, "
        "and its balance from then on. Who gives their account up stays as a placeholder under their own id, so a chain "
        "can arise: follow `claimed` until nobody claims. Members with the same `unit` settle together: "
        "`updatedBalances` stay each person's own, and `settleUp` has one payer and one payee a unit, whoever came first "
        "of those with an account; a payment by anybody of the unit counts. Who is `blocked` has left, and gets `blocked` "
        "for an answer until an admin unblocks them.",
    ),
    Rule(
        "Order",
        "Each group has one ledger, numbered by `seq` without a gap: 1, 2, 3 and so on. Every broadcast names its "
        "group and seq. Apply seq n + 1 when you stand at n; drop what you have seen; on a hole, pull what lies "
        "between.",
    ),
    Rule(
        "Writing twice",
        "Every write to a ledger carries a key that the client chose: `commandId` on a socket and in a body, or the "
        "header `Idempotency-Key`. Store the key before you send, and send the same content with the same key until "
        "you have an answer. It is carried out once; a repetition gets the first outcome again with `replayed: "
        "true`. The same key with other content is refused with `idempotency_key_reused`.",
    ),
    Rule(
        "Sending without waiting",
        "A socket needn't wait for an answer before it sends the next command. Those on expenses and settlements are "
        "carried out in the order in which they were sent to each group, made durable together, and answered each by "
        "itself, those of different groups in any order. Whatever else is sent is begun when all before it are answered, "
        "and sees what they did. A whole outbox goes in one `sync:push`.",
    ),
    Rule(
        "Editing at the same time",
        "An update with `expectedSeq`, the seq at which you saw the thing, is refused with `conflict` and the "
        "`current` version if it has changed since. Without it the last writer wins; the ledger keeps every version.",
    ),
    Rule(
        "Errors",
        "REST answers `application/problem+json` (RFC 9457); an ack says `{ok: false, error}` with the same members. "
        "Decide by `code`, show `detail`; `errors` lists bad fields by path. A group that you are not in answers "
        "exactly like one that does not exist: `not_found`.",
    ),
    Rule(
        "Limits",
        f"{_SIZES} Integers have at most 64 bits, and of a key that stands twice the last one counts. A write takes "
        "its fields from the body, not from the query (from either with DELETE). What comes too often is refused with "
        "`rate_limited`: wait `retryAfterMs`. The reference has a table of all limits.",
    ),
    Rule(
        "Files",
        "An import (REST only) needs no key: each entry is its own, and one that is there is not imported again, so send "
        "it until you have an answer. It is carried out as a whole or not at all; `import_refused` has what is in the way "
        "in `errors`, with `rows.13`, `members.Asha` or `file` as paths, and `dryRun` shows everything beforehand. Its "
        "events are like any others; where there are more than 200 at once, only the last is broadcast: pull the others.",
    ),
    Rule(
        "Attachments",
        "A picture or a PDF goes to the server as the body of a request, with no JSON around it; the same file again is "
        "the same `id`, so send it until you have an answer. Then attach it to an expense within a day, by "
        "`attachment:add`. An expense has `attachments` only where it has any. Fetch one with your token, keep it by its "
        "`ETag`, and show what is on a picture only: never open what a stranger uploaded in a browser.",
    ),
    Rule(
        "Pages",
        "A list takes `limit` (1 to 200, 50 unless told) and `cursor`, the `nextCursor` of the page before; "
        "`nextCursor` is null on the last page.",
    ),
)
"""In the order in which a newcomer needs them."""


def as_markdown() -> str:
    """All rules, each under its heading."""
    return "\n\n".join(f"### {rule.title}\n\n{rule.text}" for rule in GROUND_RULES)
