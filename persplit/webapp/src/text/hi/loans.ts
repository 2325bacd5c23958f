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
  title: "उधार",
  hint: "किसी तारीख तक दिया गया पैसा, ब्याज के साथ या बिना। उधार साझा हिसाब से अलग रहते हैं: हिसाब चुकाने से ये नहीं बदलते।",
  none: "कोई उधार नहीं",
  noneHint: "यहाँ किसी को पैसे उधार दें, या जो आपने लिया उसे लिख लें। यह साझा खर्चों से अलग रहता है।",
  add: "उधार दें या लें",
  closed: "चुकाए और मिटाए हुए",
  lentTo: (who: Who) => `आपने ${who.name} को उधार दिए`,
  borrowedFrom: (who: Who) => `${who.name} ने आपको उधार दिए`,
  lentBetween: (lender: Who, borrower: Who) => `${lender.name} ने ${borrower.name} को उधार दिए`,
  isRepaid: "चुक गया",
  isDeleted: "मिटाया गया",
  toPayYou: "आपको वापस मिलेंगे",
  toPay: "आपको लौटाने हैं",
  toPayThem: "लौटाने हैं",
  all: "सभी उधार",
  allLoans: (count: number) => `${count} उधार बाकी`,

  noDueDay: "कोई तय तारीख नहीं",
  dueOn: (day: string) => `${day} तक लौटाना है`,
  dueToday: "आज लौटाना है",
  dueIn: (count: number) => (count === 1 ? "कल तक लौटाना है" : `${count} दिन में लौटाना है`),
  overdueBy: (count: number) => `${count} दिन की देरी`,

  loan: "उधार",
  principalLeft: "इसमें मूल रकम",
  interestToday: "आज तक का ब्याज",
  rateYear: (rate: string) => `${rate}% सालाना`,
  noInterest: "बिना ब्याज",
  rule: (rate: string) => `साधारण ब्याज: बची मूल रकम पर ${rate}% सालाना, दिन के हिसाब से। ब्याज पर ब्याज नहीं लगता।`,
  lentFirst: "दिए गए",
  interestPaid: "अब तक चुकाया ब्याज",
  dueDay: "कब तक",
  notedBy: (who: Who, day: string) => `${ne(who)} ${day} को दर्ज किया`,
  repay: "लौटाएँ",
  gotBack: "मुझे पैसे वापस मिले",
  theyRepay: (who: Who) => `${who.name} ने लौटाए`,
  repayments: "लौटाए गए",
  noRepayments: "अभी कुछ नहीं",
  ofIt: (interest: string, principal: string) => `${interest} ब्याज, ${principal} मूल रकम`,
  ofItPrincipal: (principal: string) => `${principal} मूल रकम`,
  andBalance: (amount: string) => `बाकी ${amount} साझा हिसाब में गए`,
  change: "बदलें",
  deletedToast: "उधार मिटाया गया: अब इसका कुछ नहीं देना",
  restoredToast: "उधार फिर से गिना जाएगा",
  deletedBanner: "यह उधार मिटाया जा चुका है: इसका कुछ नहीं देना।",
  restore: "वापस जोड़ें",
  repaidBanner: "पूरा उधार चुक गया है।",

  newTitle: "उधार दें या लें",
  changeTitle: "उधार बदलें",
  whoLends: "पैसे किसने दिए?",
  iLend: "मैंने दिए",
  iBorrow: "मैंने लिए",
  others: "दूसरे लोग",
  lender: "कौन देगा",
  borrower: "कौन लेगा",
  toWhom: "किसे",
  fromWhom: "किससे",
  amount: "रकम",
  lentDay: "किस दिन दिए",
  dueField: "कब तक लौटाने हैं",
  rate: "ब्याज, प्रतिशत सालाना",
  rateHint: "बची मूल रकम पर साधारण ब्याज, 365 दिन के साल के हिसाब से। खाली: बिना ब्याज।",
  note: "टिप्पणी",
  noteExample: "फ़्लैट की जमा रकम",
  withoutInterest: (amount: string) => `${amount} लौटाने होंगे, बिना ब्याज।`,
  aYear: (amount: string) => `एक साल में ${amount} ब्याज।`,
  byDueDay: (amount: string, day: string) => `${day} को कुल ${amount} लौटाने होंगे।`,
  termsStay: "इसका कुछ हिस्सा लौटाया जा चुका है। अब सिर्फ़ तारीख और टिप्पणी बदल सकती है।",
  save: "उधार दर्ज करें",
  noted: (amount: string) => `${amount} का उधार दर्ज हुआ`,
  changed: "उधार बदल गया",
  notMoved: "पैसे PerSplit से होकर नहीं जाते: जैसे चाहें दें।",
  faults: {
    date: "पिछले पचास साल का कोई दिन चुनें",
    dueDate: "यह देने के दिन से पहले नहीं हो सकता",
    rate: "0 से ज़्यादा और 100 तक, चार दशमलव तक, जैसे 6.5",
    note: "ज़्यादा से ज़्यादा 200 अक्षर",
    same: "दो अलग लोग चुनें",
  },

  repayTitle: (who: Who) => `${who.name} को लौटाएँ`,
  gotBackTitle: (who: Who) => `${who.name} लौटा रहे हैं`,
  paidOn: "किस दिन दिए",
  paidOnFault: "उधार से पहले का या आगे का दिन नहीं हो सकता",
  allOfIt: (amount: string) => `${amount} से पूरा उधार चुक जाएगा।`,
  partOfIt: (interest: string, left: string) => `इसमें से ${interest} ब्याज में जाएँगे। फिर ${left} मूल रकम बचेगी।`,
  partWithoutInterest: (left: string) => `फिर ${left} मूल रकम बचेगी।`,
  tooMuch: (more: string) => `उधार से ${more} ज़्यादा: वे आम भुगतान की तरह गिने जाएँगे।`,
  thenConfirms: (who: Who) => `${who.name} की पुष्टि के बाद उधार घटेगा। पैसे PerSplit से होकर नहीं जाते।`,
  thenCounts: "उधार तुरंत घट जाएगा। पैसे PerSplit से होकर नहीं जाते।",
  howPaid: "पैसे कैसे दिए गए?",
  byTransfer: "ट्रांसफ़र से",

  lendTitle: "उधार दें या लें",
  lendHint: "सिर्फ़ आप दोनों के बीच, किसी समूह के बाहर।",
  lendTo: "किसके साथ?",
  noPeople: "अभी कोई नहीं",
  noPeopleHint: "जिनका खाता है और जो आपके किसी समूह में हैं, वे यहाँ दिखेंगे।",
  firstTime: "किसी के साथ पहले उधार के लिए कनेक्शन चाहिए। बाद में नहीं।",
  between: "सिर्फ़ आप दोनों",
  withName: (name: string) => `उधार दें या लें: ${name}`,

  repaysLoan: "उधार लौटाया",
  nextYours: "देखें कि पैसे मिले या नहीं, और बताएँ। आपकी पुष्टि पर उधार घटेगा।",
  nextTheirs: (name: string) => `${name} को पुष्टि करनी है कि पैसे मिल गए। तब उधार घटेगा।`,
  nextCompleted: "यह उधार में से घट चुका है। गलती हो तो उलटा भुगतान दर्ज करें।",
  interestPart: "ब्याज",
  principalPart: "मूल रकम",
  restPart: "बाकी साझा हिसाब में गए",

  tellOfLoan: (words: string) => `${words} (उधार के लिए)`,
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
