"""What expenses are for: a fixed list, the same on every client, with a stable key and an icon for each.

An expense's category is text: the key of one of these, or anything else that somebody typed or another product's file
had. So what was written before the list stays readable, and `category_of` finds the icon for what people usually write.
"""

import unicodedata
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Category:
    """`key` is what an expense keeps, for ever; `icon` one emoji; `also` other words for it, in lower case."""

    key: str
    name: str
    icon: str
    also: tuple[str, ...] = ()


CATEGORIES: Final = (
    Category("general", "General", "🧾", ("other", "others", "misc", "miscellaneous", "uncategorized")),
    Category(
        "food",
        "Food and drink",
        "🍽️",
        ("food & drink", "dining", "dining out", "restaurant", "dinner", "lunch"),
    ),
    Category("groceries", "Groceries", "🛒", ("grocery", "supermarket")),
    Category("drinks", "Drinks", "🍻", ("bar", "liquor", "alcohol")),
    Category("coffee", "Coffee and tea", "☕", ("tea", "cafe", "chai")),
    Category("rent", "Rent", "🏠", ("mortgage", "housing")),
    Category("electricity", "Electricity", "💡", ("power",)),
    Category("water", "Water", "🚰"),
    Category("gas", "Heating and gas", "🔥", ("heat/gas", "heat", "heating", "lpg")),
    Category("internet", "Internet and phone", "📶", ("tv/phone/internet", "phone", "wifi", "mobile")),
    Category("household", "Household", "🧹", ("household supplies", "cleaning", "home", "maintenance")),
    Category("furniture", "Furniture", "🛋️"),
    Category("transport", "Transport", "🚌", ("transportation", "bus/train", "bus", "train", "metro")),
    Category("taxi", "Taxi", "🚕", ("cab", "auto", "rickshaw")),
    Category("fuel", "Fuel", "⛽", ("gas/fuel", "petrol", "diesel")),
    Category("car", "Car", "🚗", ("vehicle", "toll")),
    Category("parking", "Parking", "🅿️"),
    Category("flights", "Flights", "✈️", ("plane", "flight", "airfare")),
    Category("lodging", "Lodging", "🏨", ("hotel", "accommodation", "stay", "hostel")),
    Category("travel", "Travel", "🧳", ("trip", "vacation", "holiday")),
    Category("entertainment", "Entertainment", "🎉", ("party", "fun", "games")),
    Category("movies", "Movies and shows", "🎬", ("movie", "cinema", "theatre")),
    Category("music", "Music", "🎵", ("concert",)),
    Category("sports", "Sports", "⚽", ("sport", "gym")),
    Category("shopping", "Shopping", "🛍️"),
    Category("clothing", "Clothing", "👕", ("clothes",)),
    Category("electronics", "Electronics", "💻"),
    Category("gifts", "Gifts", "🎁", ("gift", "present")),
    Category("health", "Health", "💊", ("medical", "medical expenses", "medicine", "doctor", "pharmacy")),
    Category("insurance", "Insurance", "🛡️"),
    Category("education", "Education", "📚", ("school", "books")),
    Category("children", "Children", "🧸", ("childcare", "kids")),
    Category("pets", "Pets", "🐾", ("pet",)),
    Category("subscriptions", "Subscriptions", "🔁", ("subscription", "services")),
    Category("taxes", "Taxes and fees", "🏛️", ("tax", "fees", "bank charges")),
    Category("donations", "Donations", "🤝", ("donation", "charity")),
)
"""Never change or drop a key: expenses have it. Names, icons and other words may change, and new ones may come."""


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


_BY_WORD: Final = {
    **{_plain(word): category for category in CATEGORIES for word in (*category.also, category.name)},
    **{category.key: category for category in CATEGORIES},
}


def category_of(text: str | None) -> Category | None:
    """The category that an expense's text means; None where it has none, or one of its own."""
    return None if text is None else _BY_WORD.get(_plain(text))


def category_key(text: str | None) -> str | None:
    """What expenses of the same category have in common: the key, or a free text as it is; None: none."""
    category = category_of(text)
    return text if category is None else category.key
