/** What an expense is for, guessed from its description: by what the group called the same thing before, or by words. */

import type { Expense } from "../../wire/types.ts";

/** Words of the keys of the server's list: beginnings of words in English, Hindi, and Hindi in Latin letters. */
const WORDS: Readonly<Record<string, string>> = {
  groceries: "grocer supermarket vegetable fruit milk dmart bigbasket blinkit zepto sabzi sabji doodh kirana ration सब्ज़ी सब्जी दूध किराना राशन फल",
  coffee: "coffee tea chai cafe starbucks चाय कॉफ़ी कॉफी",
  drinks: "beer wine bar pub drinks whisky rum daru sharab बीयर शराब",
  food: "dinner lunch breakfast brunch food restaurant pizza biryani dosa thali snack swiggy zomato meal burger khana nashta dhaba खाना नाश्ता डिनर लंच ढाबा",
  electricity: "electric power bijli bijlee बिजली",
  internet: "internet wifi wi-fi broadband recharge phone mobile jio airtel इंटरनेट रिचार्ज फ़ोन फोन",
  water: "water paani pani पानी",
  gas: "lpg cylinder heating gas गैस सिलेंडर",
  rent: "rent deposit landlord kiraya किराया",
  household: "cleaning maid cook detergent laundry plumber repair bai safai सफ़ाई सफाई बाई मरम्मत",
  furniture: "furniture sofa table chair mattress bed ikea फ़र्नीचर गद्दा",
  taxi: "taxi cab uber ola auto rickshaw rapido टैक्सी ऑटो रिक्शा",
  fuel: "petrol diesel fuel cng पेट्रोल डीज़ल",
  parking: "parking पार्किंग",
  car: "toll fastag car garage गाड़ी टोल",
  flights: "flight plane airline indigo airport उड़ान फ़्लाइट",
  lodging: "hotel hostel airbnb oyo resort homestay stay room होटल",
  transport: "bus train metro tram ferry ticket irctc ट्रेन बस मेट्रो टिकट",
  travel: "trip travel visa tour holiday यात्रा",
  movies: "movie cinema film netflix pvr theatre फ़िल्म सिनेमा",
  music: "concert music spotify गाना",
  sports: "gym cricket football badminton turf sport जिम क्रिकेट",
  entertainment: "party game bowling club पार्टी",
  gifts: "gift present birthday shagun उपहार तोहफ़ा शगुन जन्मदिन",
  clothing: "clothes shirt shoes dress saree कपड़े जूते साड़ी",
  electronics: "laptop charger headphone tv cable लैपटॉप",
  health: "doctor medicine pharmacy hospital medical dawai दवा दवाई डॉक्टर",
  insurance: "insurance बीमा",
  education: "school book course tuition fees स्कूल किताब",
  children: "diaper toys baby kids बच्च",
  pets: "dog cat vet pet कुत्ता",
  subscriptions: "subscription prime hotstar",
  taxes: "tax fine gst टैक्स",
  donations: "donation charity daan दान",
  shopping: "shopping mall amazon flipkart myntra ख़रीदारी खरीदारी",
};

const BEGINNINGS: readonly (readonly [beginning: string, key: string])[] = Object.entries(WORDS).flatMap(([key, words]) =>
  words.split(" ").map((word) => [folded(word), key] as const),
);
/** Shorter beginnings count only as whole words: "bar" is not "barber". */
const WHOLE_WORD_LENGTH_MAX = 4;

/** A text as it is compared: without case, and with letters of one shape alike. */
export function folded(text: string): string {
  return text.normalize("NFKC").toLowerCase().trim();
}

/** The key or free text, or null. `past` newest first. */
export function guessCategory(description: string, past: readonly Pick<Expense, "description" | "category">[]): string | null {
  const wanted = folded(description);
  if (wanted === "") return null;
  const same = past.find((expense) => expense.category !== null && folded(expense.description) === wanted);
  if (same) return same.category;
  for (const word of wanted.split(/[^\p{L}\p{M}\p{N}-]+/u)) {
    const found = BEGINNINGS.find(([beginning]) =>
      beginning.length <= WHOLE_WORD_LENGTH_MAX ? word === beginning || word === `${beginning}s` : word.startsWith(beginning),
    );
    if (found) return found[1];
  }
  return null;
}
