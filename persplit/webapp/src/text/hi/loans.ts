import type { loans as en } from "../en/loans.ts";
import type { Who } from "../en/insight.ts";

/** जो करता है: क्रिया के साथ “ने”। */
const ne = ({ name, isMe }: Who) => (isMe ? "आपने" : `${name} ने`);
const ko = ({ name, isMe }: Who) => (isMe ? "आपको" : `${name} को`);
const se = ({ name, isMe }: Who) => (isMe ? "आपसे" : `${name} से`);
const isSame = (one: Who, other: Who) => one.isMe === other.isMe && one.name === other.name;
/** `आशा ने आपको दिया था: ₹500.00`। */
const given = (lender: Who, borrower: Who, amount: string) => `${ne(lender)} ${ko(borrower)} दिया था: ${amount}`;

export const loans: typeof en = {
  tellCreated: (by: Who, lender: Who, borrower: Who, amount: string) =>
    isSame(by, lender)
      ? `${ne(by)} ${ko(borrower)} ${amount} उधार दिए`
      : isSame(by, borrower)
        ? `${ne(by)} ${se(lender)} ${amount} उधार लिए`
        : `${ne(by)} दर्ज किया कि ${ne(lender)} ${ko(borrower)} ${amount} उधार दिए`,
  tellUpdated: (by: Who, lender: Who, borrower: Who, amount: string) => `${ne(by)} उस उधार की शर्तें बदलीं जो ${given(lender, borrower, amount)}`,
  tellDeleted: (by: Who, lender: Who, borrower: Who, amount: string) => `${ne(by)} वह उधार मिटाया जो ${given(lender, borrower, amount)}`,
  tellRestored: (by: Who, lender: Who, borrower: Who, amount: string) => `${ne(by)} वह उधार वापस जोड़ा जो ${given(lender, borrower, amount)}`,
};
