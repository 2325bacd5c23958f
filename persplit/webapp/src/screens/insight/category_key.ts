/**
 * What expenses of the same category have in common: a key of the server's list, which has other words that mean the
 * same. An expense keeps whatever text was typed; sums go by this key, on the server as here.
 */

/** By key: other words for it, in lower case. */
const ALSO: Readonly<Record<string, readonly string[]>> = {
  general: ["other", "others", "misc", "miscellaneous", "uncategorized"],
  food: ["food and drink", "food & drink", "dining", "dining out", "restaurant", "dinner", "lunch"],
  groceries: ["grocery", "supermarket"],
  drinks: ["bar", "liquor", "alcohol"],
  coffee: ["coffee and tea", "tea", "cafe", "chai"],
  rent: ["mortgage", "housing"],
  electricity: ["power"],
  water: [],
  gas: ["heating and gas", "heat/gas", "heat", "heating", "lpg"],
  internet: ["internet and phone", "tv/phone/internet", "phone", "wifi", "mobile"],
  household: ["household supplies", "cleaning", "home", "maintenance"],
  furniture: [],
  transport: ["transportation", "bus/train", "bus", "train", "metro"],
  taxi: ["cab", "auto", "rickshaw"],
  fuel: ["gas/fuel", "petrol", "diesel"],
  car: ["vehicle", "toll"],
  parking: [],
  flights: ["plane", "flight", "airfare"],
  lodging: ["hotel", "accommodation", "stay", "hostel"],
  travel: ["trip", "vacation", "holiday"],
  entertainment: ["party", "fun", "games"],
  movies: ["movies and shows", "movie", "cinema", "theatre"],
  music: ["concert"],
  sports: ["sport", "gym"],
  shopping: [],
  clothing: ["clothes"],
  electronics: [],
  gifts: ["gift", "present"],
  health: ["medical", "medical expenses", "medicine", "doctor", "pharmacy"],
  insurance: [],
  education: ["school", "books"],
  children: ["childcare", "kids"],
  pets: ["pet"],
  subscriptions: ["subscription", "services"],
  taxes: ["taxes and fees", "tax", "fees", "bank charges"],
  donations: ["donation", "charity"],
};

const BY_WORD: ReadonlyMap<string, string> = new Map(
  Object.entries(ALSO).flatMap(([key, also]) => [...also.map((word) => [word, key] as const), [key, key] as const]),
);

/** The key, or a free text as it is; null: none. */
export function categoryKey(text: string | null): string | null {
  return text === null ? null : (BY_WORD.get(plain(text)) ?? text);
}

function plain(text: string): string {
  return text.normalize("NFKC").toLowerCase().trim().replace(/\s+/gu, " ");
}
