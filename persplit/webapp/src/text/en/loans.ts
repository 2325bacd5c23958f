import type { Who } from "./insight.ts";

/** At the beginning of a sentence. */
const does = ({ name, isMe }: Who) => (isMe ? "You" : name);
/** Later in it. */
const whom = ({ name, isMe }: Who) => (isMe ? "you" : name);
const isSame = (one: Who, other: Who) => one.isMe === other.isMe && one.name === other.name;
/** `₹500.00 from Asha to you`. */
const between = (lender: Who, borrower: Who, amount: string) => `${amount} from ${whom(lender)} to ${whom(borrower)}`;

export const loans = {
  // events in words
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
