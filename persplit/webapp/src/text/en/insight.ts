/** Somebody as a sentence names them. */
export interface Who {
  readonly name: string;
  readonly isMe: boolean;
}

/** At the beginning of a sentence. */
const does = ({ name, isMe }: Who) => (isMe ? "You" : name);
/** Later in it. */
const whom = ({ name, isMe }: Who) => (isMe ? "you" : name);
const whose = ({ name, isMe }: Who) => (isMe ? "your" : `${name}’s`);

export const insight = {
  // charts
  filesTitle: "Import and export",
  nothingSpent: "Nothing spent in this period",
  nothingSpentHint: "Charts appear with the first expense.",
  period: "Period",
  periods: { all: "All", month: "This month", before: "Last month", year: "This year", own: "Dates" },
  from: "From",
  to: "To",
  endsBefore: "This is before the first day",
  spentOn: (count: number) => `Spent, in ${count} expenses`,
  spentOnOne: "Spent, in 1 expense",
  spent: "Spent",
  paid: "Paid",
  share: "Share",
  youPaid: "You paid",
  yourShare: "Your share",
  paidMore: (amount: string) => `You paid ${amount} more than your share of these expenses.`,
  paidLess: (amount: string) => `You paid ${amount} less than your share of these expenses.`,
  paidSame: "You paid just your share of these expenses.",
  byCategory: "By category",
  byMember: "By person",
  byMonth: "By month",
  category: "Category",
  member: "Person",
  month: "Month",
  everybody: "Everybody",
  others: "Others",
  noDrawing: "The drawing could not be loaded. The numbers are below.",

  // the time machine
  noPast: "Nothing has happened yet",
  moment: "Moment",
  stepOf: (step: number, steps: number) => `${step} of ${steps}`,
  stepBack: "One step back",
  stepForward: "One step forward",
  play: "Play",
  stop: "Stop",
  now: "Now",
  balancesNow: "Balances now",
  balancesThen: "Balances then",
  noChange: "No balance changed.",

  // events in words
  who: (who: Who) => whom(who),
  tellExpenseCreated: (by: Who, what: string, amount: string) => `${does(by)} added ${what}, ${amount}`,
  tellExpenseUpdated: (by: Who, what: string, amount: string) => `${does(by)} changed ${what}, ${amount}`,
  tellExpenseAmount: (by: Who, what: string, before: string, after: string) => `${does(by)} changed ${what} from ${before} to ${after}`,
  tellExpenseDeleted: (by: Who, what: string, amount: string) => `${does(by)} deleted ${what}, ${amount}`,
  tellExpenseRestored: (by: Who, what: string, amount: string) => `${does(by)} brought back ${what}, ${amount}`,
  tellPaid: (by: Who, from: Who, to: Who, amount: string) =>
    by.name === from.name && by.isMe === from.isMe
      ? `${does(by)} noted paying ${whom(to)} ${amount}`
      : `${does(by)} noted that ${whom(from)} paid ${whom(to)} ${amount}`,
  tellConfirmed: (by: Who, from: Who, amount: string) => `${does(by)} confirmed ${from.isMe ? `your payment of ${amount}` : `${amount} from ${from.name}`}`,
  tellDeclined: (by: Who, from: Who, amount: string) => `${does(by)} did not get ${from.isMe ? `your payment of ${amount}` : `${amount} from ${from.name}`}`,
  tellCancelled: (by: Who, to: Who, amount: string) => `${does(by)} took back the payment of ${amount} to ${whom(to)}`,
  tellReminder: (by: Who, to: Who, amount: string) => `${does(by)} reminded ${whom(to)} of ${amount}`,
  tellComment: (by: Who, text: string) => `${does(by)} commented: ${text}`,
  tellCommentDeleted: (by: Who) => `${does(by)} deleted a comment`,
  tellAttachment: (by: Who, what: string) => `${does(by)} attached a file to ${what}`,
  tellAttachmentRemoved: (by: Who, what: string) => `${does(by)} removed a file from ${what}`,
  tellPreset: (by: Who, name: string) => `${does(by)} saved the way to split “${name}”`,
  tellPresetDeleted: (by: Who, name: string) => `${does(by)} deleted the way to split “${name}”`,
  tellRecurrence: (by: Who, what: string) => `${does(by)} set up ${what} to repeat`,
  tellRecurrenceStopped: (by: Who, what: string) => `${does(by)} stopped ${what} from repeating`,
  tellGroupCreated: (by: Who, name: string) => `${does(by)} made the group ${name}`,
  tellRenamed: (by: Who, name: string) => `${does(by)} renamed the group to ${name}`,
  tellArchived: (by: Who) => `${does(by)} archived the group`,
  tellUnarchived: (by: Who) => `${does(by)} brought the group back`,
  tellGroupUpdated: (by: Who) => `${does(by)} changed the group’s settings`,
  tellJoined: (who: Who) => `${does(who)} joined`,
  tellAdded: (by: Who, who: Who) => `${does(by)} added ${whom(who)}`,
  tellLeft: (who: Who) => `${does(who)} left`,
  tellRemoved: (by: Who, who: Who) => `${does(by)} removed ${whom(who)}`,
  tellUnblocked: (by: Who, who: Who) => `${does(by)} lets ${whom(who)} join again`,
  tellAdmin: (by: Who, who: Who) => `${does(by)} made ${whom(who)} an admin`,
  tellNoAdmin: (by: Who, who: Who) => `${does(by)} took ${whose(who)} admin role`,
  tellUnit: (who: Who, unit: string) => `${does(who)} ${who.isMe ? "settle" : "settles"} together with ${unit}`,
  tellAlone: (who: Who) => `${does(who)} ${who.isMe ? "settle" : "settles"} alone again`,
  tellMemberUpdated: (by: Who, who: Who) => `${does(by)} changed ${whose(who)} entry`,

  // activity
  activityTitle: "Activity",
  noActivity: "Nothing yet",
  noActivityHint: "What you and others do in your groups appears here.",
  activityGuest: "As a guest you see the expenses and payments of your group. Make an account on “Me” to see everything.",
  activityFallback: "No connection: these are the expenses and payments on this device.",
  loadMore: "Show more",
  unread: "New:",
  somebody: "Somebody",

  // friends
  friendsTitle: "Friends",
  noFriends: "Nothing open with anybody",
  noFriendsHint: "Here you see who owes whom over all your groups.",
  friendsFallback: "No connection: this is worked out from the payment plans on this device.",
  owesYou: "owes you",
  youOwe: "you owe",
  groupsWith: (name: string) => `Groups with ${name}`,

  // files out
  exportTitle: "Export",
  exportWithoutWaiting: "Changes that are not sent yet are not in the files.",
  exports: { pdf: "Statement", spreadsheet: "Table for Excel", csv: "Table", json: "Everything" },
  exportHints: {
    pdf: "PDF to print or send: balances, payments with QR codes",
    spreadsheet: "CSV that spreadsheets open with all letters right",
    csv: "CSV for programs",
    json: "JSON with the whole past; can be imported again",
  },
  download: "Download",

  // files in
  importTitle: "Import",
  importAdmins: "Only an admin of the group can import a file.",
  chooseFile: "Choose a file",
  chooseFileHint: "From Splitwise, Spliit, Tricount, I Hate Money, Cospend or PerSplit. You see first what would happen.",
  fileTooLarge: "The file is larger than 10 MB. Split it into several.",
  format: "Format",
  formatAuto: "Find out",
  formatFound: (name: string) => `Found out: ${name}`,
  formats: {
    persplit: "PerSplit (JSON)",
    "persplit-csv": "PerSplit (CSV)",
    splitwise: "Splitwise (CSV)",
    "spliit-json": "Spliit (JSON)",
    "spliit-csv": "Spliit (CSV)",
    tricount: "Tricount (CSV)",
    ihatemoney: "I Hate Money",
    cospend: "Cospend (CSV)",
  },
  whoIsWho: "Who is who?",
  chooseWho: "Choose …",
  whoIsMeant: "Several could be meant: choose one",
  somebodyNew: (name: string) => `New: ${name}`,
  refused: (count: number) => `${count} rows can’t be imported. Nothing is imported until they are left out.`,
  refusedOne: "1 row can’t be imported. Nothing is imported until it is left out.",
  leaveOut: "Leave out and go on",
  whatBecomes: "What becomes of the rows",
  rowNumber: (row: number) => `Row ${row}`,
  rowStatus: { new: "New", present: "Already here", refused: "Can’t be imported", skipped: "Left out", ignored: "Not counted" },
  allRows: (count: number) => `Show all ${count} rows`,
  differences: (count: number) =>
    `In ${count === 1 ? "one place" : `${count} places`} the file states another balance than its rows add up to. The rows count.`,
  balancesAfter: "Balances afterwards",
  importOne: "Import 1 row",
  importMany: (count: number) => `Import ${count} rows`,
  nothingNew: "Everything in this file is here already.",
  imported: (count: number) => (count === 1 ? "1 row imported" : `${count} rows imported`),
  pastImports: "Imports so far",
  undoImport: "Take back",
  undoneAt: (moment: string) => `taken back ${moment}`,
  importUndone: "The import was taken back",
};
