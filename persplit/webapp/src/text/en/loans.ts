import { plural } from "../index.ts";
import type { Who } from "./insight.ts";

/** At the beginning of a sentence. */
const does = ({ name, isMe }: Who) => (isMe ? "You" : name);
/** Later in it. */
const whom = ({ name, isMe }: Who) => (isMe ? "you" : name);
const days = (count: number) => plural(count, { one: "1 day", other: `${count} days` });
const isSame = (one: Who, other: Who) => one.isMe === other.isMe && one.name === other.name;
/** `₹500.00 from Asha to you`. */
const between = (lender: Who, borrower: Who, amount: string) => `${amount} from ${whom(lender)} to ${whom(borrower)}`;

export const loans = {
  // lists
  title: "Loans",
  hint: "Money lent until a day, with or without interest. Loans stand beside the balances: settling up leaves them alone.",
  none: "No loans",
  noneHint: "Lend somebody here some money, or note what you borrowed. It stays apart from shared expenses.",
  add: "Lend or borrow",
  closed: "Repaid and deleted",
  lentTo: (who: Who) => `You lent ${who.name}`,
  borrowedFrom: (who: Who) => `${who.name} lent you`,
  lentBetween: (lender: Who, borrower: Who) => `${lender.name} lent ${borrower.name}`,
  isRepaid: "Repaid",
  isDeleted: "Deleted",
  toPayYou: "You get back",
  toPay: "You pay back",
  toPayThem: "To be paid back",
  all: "All loans",
  allLoans: (count: number) => plural(count, { one: "1 open loan", other: `${count} open loans` }),

  // when it is due
  noDueDay: "No due day",
  dueOn: (day: string) => `Due ${day}`,
  dueToday: "Due today",
  dueIn: (count: number) => (count === 1 ? "Due tomorrow" : `Due in ${days(count)}`),
  overdueBy: (count: number) => `Overdue by ${days(count)}`,

  // one loan
  loan: "Loan",
  principalLeft: "Left of the loan",
  interestToday: "Interest up to today",
  rateYear: (rate: string) => `${rate}% a year`,
  noInterest: "No interest",
  rule: (rate: string) => `Simple interest: ${rate}% a year of what is left, for each day. Interest bears no interest.`,
  lentFirst: "Lent",
  interestPaid: "Interest paid so far",
  dueDay: "Due",
  notedBy: (who: Who, day: string) => `${does(who)} noted this on ${day}`,
  repay: "Pay back",
  gotBack: "I got money back",
  theyRepay: (who: Who) => `${who.name} paid back`,
  repayments: "Paid back",
  noRepayments: "Nothing yet",
  ofIt: (interest: string, principal: string) => `${interest} interest, ${principal} of the loan`,
  ofItPrincipal: (principal: string) => `${principal} of the loan`,
  andBalance: (amount: string) => `${amount} beyond it moved balances`,
  change: "Change",
  deletedToast: "The loan is deleted: nothing more of it is owed",
  restoredToast: "The loan counts again",
  deletedBanner: "This loan is deleted: nothing of it is owed.",
  restore: "Bring back",
  repaidBanner: "All of it is paid back.",

  // noting one
  newTitle: "Lend or borrow",
  changeTitle: "Change the loan",
  whoLends: "Who lends?",
  iLend: "I lend",
  iBorrow: "I borrow",
  others: "Others",
  lender: "Who lends",
  borrower: "Who borrows",
  toWhom: "To whom",
  fromWhom: "From whom",
  amount: "Amount",
  lentDay: "Lent on",
  dueField: "To be paid back by",
  rate: "Interest, percent a year",
  rateHint: "Simple interest on what is left, for each day of 365 a year. Empty: none.",
  note: "Note",
  noteExample: "Deposit for the flat",
  withoutInterest: (amount: string) => `${amount} to be paid back, without interest.`,
  aYear: (amount: string) => `${amount} interest in a year.`,
  byDueDay: (amount: string, day: string) => `On ${day} that makes ${amount} to be paid back.`,
  termsStay: "Some of it is paid back already. Only the due day and the note can change.",
  save: "Note the loan",
  noted: (amount: string) => `Loan of ${amount} noted`,
  changed: "Loan changed",
  notMoved: "PerSplit moves no money: hand it over as you like.",
  faults: {
    date: "A day in the last fifty years",
    dueDate: "Not before the day on which it was lent",
    rate: "More than 0 and at most 100, with up to four decimals, such as 6.5",
    note: "At most 200 characters",
    same: "Choose two different people",
  },

  // paying back
  repayTitle: (who: Who) => `Pay ${who.name} back`,
  gotBackTitle: (who: Who) => `${who.name} pays back`,
  paidOn: "Paid on",
  paidOnFault: "Not before the loan, and not to come",
  allOfIt: (amount: string) => `${amount} pays back all of it.`,
  partOfIt: (interest: string, left: string) => `${interest} of it pays the interest. ${left} of the loan is left then.`,
  partWithoutInterest: (left: string) => `${left} of the loan is left then.`,
  tooMuch: (more: string) => `${more} more than the loan: that counts as a payment like any other.`,
  thenConfirms: (who: Who) => `The loan gets smaller once ${who.name} confirms. PerSplit never touches the money.`,
  thenCounts: "The loan gets smaller at once. PerSplit never touches the money.",
  howPaid: "How was it paid?",
  byTransfer: "By transfer",

  // from friends
  lendTitle: "Lend or borrow",
  lendHint: "Between the two of you, outside of any group.",
  lendTo: "With whom?",
  noPeople: "Nobody to lend to yet",
  noPeopleHint: "People with an account who share a group with you appear here.",
  firstTime: "The first loan with somebody needs a connection. Later ones don’t.",
  owesYou: "owes you in loans",
  youOwe: "you owe in loans",
  between: "Just the two of you",
  withName: (name: string) => `Lend or borrow: ${name}`,

  // a payment that repays one
  repaysLoan: "Pays back a loan",
  nextYours: "Look whether it arrived, and say so. The loan gets smaller when you confirm.",
  nextTheirs: (name: string) => `${name} has to confirm that it arrived. Then the loan gets smaller.`,
  nextCompleted: "It is taken off the loan. If that is a mistake, note a payment back.",
  interestPart: "Interest",
  principalPart: "Of the loan",
  restPart: "The rest moved balances",

  // events in words
  tellOfLoan: (words: string) => `${words}, for a loan`,
  tellCreated: (by: Who, lender: Who, borrower: Who, amount: string) =>
    isSame(by, lender)
      ? `${does(by)} lent ${whom(borrower)} ${amount}`
      : isSame(by, borrower)
        ? `${does(by)} borrowed ${amount} from ${whom(lender)}`
        : `${does(by)} noted a loan of ${between(lender, borrower, amount)}`,
  tellUpdated: (by: Who, lender: Who, borrower: Who, amount: string) => `${does(by)} changed the loan of ${between(lender, borrower, amount)}`,
  tellDeleted: (by: Who, lender: Who, borrower: Who, amount: string) => `${does(by)} deleted the loan of ${between(lender, borrower, amount)}`,
  tellRestored: (by: Who, lender: Who, borrower: Who, amount: string) => `${does(by)} brought back the loan of ${between(lender, borrower, amount)}`,
};
