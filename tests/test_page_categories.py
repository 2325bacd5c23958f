"""The page sums expenses up by the same categories as the server: its words for them are the server's."""

import json
import re
from pathlib import Path

from persplit.ledger.categories import CATEGORIES

_LIST = Path(__file__).parent.parent / "persplit/webapp/src/screens/expense/category_list.ts"
_ROW = re.compile(r'^  (\w+): \{ icon: "(.*)", also: (\[.*\]) \},$', re.MULTILINE)


def test_the_page_knows_the_same_categories_by_the_same_words() -> None:
    rows = _ROW.findall(_LIST.read_text(encoding="utf-8"))
    ours = {key: (icon, set(json.loads(words)) - {key}) for key, icon, words in rows}
    theirs = {it.key: (it.icon, {it.name.lower(), *it.also} - {it.key}) for it in CATEGORIES}
    assert ours == theirs
