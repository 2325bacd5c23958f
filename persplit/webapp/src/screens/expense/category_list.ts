/**
 * What expenses of the same category have in common: the server's list, with the other words that mean the same there.
 * An expense keeps whatever text was typed; sums go by this key.
 */

interface Known {
  readonly icon: string;
  readonly also: readonly string[];
}

/** By key. Its names are in `text/`. */
export const CATEGORIES = {
  general: { icon: "🧾", also: ["other", "others", "misc", "miscellaneous", "uncategorized"] },
  food: { icon: "🍽️", also: ["food and drink", "food & drink", "dining", "dining out", "restaurant", "dinner", "lunch"] },
  groceries: { icon: "🛒", also: ["grocery", "supermarket"] },
  drinks: { icon: "🍻", also: ["bar", "liquor", "alcohol"] },
  coffee: { icon: "☕", also: ["coffee and tea", "tea", "cafe", "chai"] },
  rent: { icon: "🏠", also: ["mortgage", "housing"] },
  electricity: { icon: "💡", also: ["power"] },
  water: { icon: "🚰", also: [] },
  gas: { icon: "🔥", also: ["heating and gas", "heat/gas", "heat", "heating", "lpg"] },
  internet: { icon: "📶", also: ["internet and phone", "tv/phone/internet", "phone", "wifi", "mobile"] },
  household: { icon: "🧹", also: ["household supplies", "cleaning", "home", "maintenance"] },
  furniture: { icon: "🛋️", also: [] },
  transport: { icon: "🚌", also: ["transportation", "bus/train", "bus", "train", "metro"] },
  taxi: { icon: "🚕", also: ["cab", "auto", "rickshaw"] },
  fuel: { icon: "⛽", also: ["gas/fuel", "petrol", "diesel"] },
  car: { icon: "🚗", also: ["vehicle", "toll"] },
  parking: { icon: "🅿️", also: [] },
  flights: { icon: "✈️", also: ["plane", "flight", "airfare"] },
  lodging: { icon: "🏨", also: ["hotel", "accommodation", "stay", "hostel"] },
  travel: { icon: "🧳", also: ["trip", "vacation", "holiday"] },
  entertainment: { icon: "🎉", also: ["party", "fun", "games"] },
  movies: { icon: "🎬", also: ["movies and shows", "movie", "cinema", "theatre"] },
  music: { icon: "🎵", also: ["concert"] },
  sports: { icon: "⚽", also: ["sport", "gym"] },
  shopping: { icon: "🛍️", also: [] },
  clothing: { icon: "👕", also: ["clothes"] },
  electronics: { icon: "💻", also: [] },
  gifts: { icon: "🎁", also: ["gift", "present"] },
  health: { icon: "💊", also: ["medical", "medical expenses", "medicine", "doctor", "pharmacy"] },
  insurance: { icon: "🛡️", also: [] },
  education: { icon: "📚", also: ["school", "books"] },
  children: { icon: "🧸", also: ["childcare", "kids"] },
  pets: { icon: "🐾", also: ["pet"] },
  subscriptions: { icon: "🔁", also: ["subscription", "services"] },
  taxes: { icon: "🏛️", also: ["taxes and fees", "tax", "fees", "bank charges"] },
  donations: { icon: "🤝", also: ["donation", "charity"] },
} as const satisfies Readonly<Record<string, Known>>;

export type CategoryKey = keyof typeof CATEGORIES;

const BY_WORD: ReadonlyMap<string, CategoryKey> = new Map(
  (Object.entries(CATEGORIES) as [CategoryKey, Known][]).flatMap(([key, { also }]) => [
    ...also.map((word): [string, CategoryKey] => [word, key]),
    [key, key] as const,
  ]),
);

/** The key, or a free text as it is; null: none. */
export function categoryKey(text: string | null): string | null {
  return text === null ? null : (BY_WORD.get(plain(text)) ?? text);
}

export function isKnown(category: string): category is CategoryKey {
  return Object.hasOwn(CATEGORIES, category);
}

function plain(text: string): string {
  return text.normalize("NFKC").toLowerCase().trim().replace(/\s+/gu, " ");
}
