"""The page sums expenses up by the same categories as the server: its words for them are the server's."""

import json
import re
from pathlib import Path

from persplit.ledger.categories import CATEGORIES

_TABLE = Path(__file__).parent.parent / "persplit/webapp/src/screens/insight/category_key.ts"


def test_the_page_knows_the_same_words_for_the_same_categories() -> None:
    rows = re.findall(r"^  (\w+): (\[.*\]),$", _TABLE.read_text(encoding="utf-8"), re.MULTILINE)
    ours = {key: set(json.loads(words)) - {key} for key, words in rows}
    theirs = {
        category.key: {category.name.lower(), *category.also} - {category.key} for category in CATEGORIES
    }
    assert ours == theirs
