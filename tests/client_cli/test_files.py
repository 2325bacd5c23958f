"""`persplit client import`, `undo-import` and `export`."""

import json
from pathlib import Path

from tests.client_cli.conftest import MakePerson, Person
from tests.exchange.given import FILES, text_of

SPLITWISE = str(FILES / "splitwise_en.csv")


def asha_in_goa(people: MakePerson) -> Person:
    asha = people("Asha")
    asha.says("group", "create", "Goa")
    return asha


def test_a_file_is_looked_at_imported_and_taken_back(people: MakePerson) -> None:
    asha = asha_in_goa(people)
    assert asha.says("imports") == "Nothing was imported into it.\n"
    words = ("import", SPLITWISE, "--member", "Asha Rao=me")
    seen = asha.says(*words, "--dry-run")
    assert "Nothing was changed." in seen
    assert "a new placeholder" in seen
    assert "House on the hill" in seen
    assert "nobody owes anybody for it" in seen
    done = asha.gets(*words)["import"]
    assert (done["counts"]["new"], done["is_replayed"]) == (8, False)
    shown = asha.gets("balances")["balances"]
    assert {one["name"]: one["amount"] for one in shown}["Asha"] == 2_269_083
    assert "nothing was changed" in asha.says(*words)
    assert asha.gets("imports")["imports"][0]["undone_at"] is None
    assert asha.gets("undo-import", done["import_id"]) == {"undone": True}
    assert f"{done['import_id']}" in asha.says("imports")
    assert "taken back" in asha.says("imports")
    assert "taken back before" in asha.says("undo-import", done["import_id"])
    assert {one["amount"] for one in asha.gets("balances")["balances"]} == {0}


def test_rows_that_would_be_refused_can_be_left_out_in_one_go(people: MakePerson, tmp_path: Path) -> None:
    asha = asha_in_goa(people)
    file = tmp_path / "more.csv"
    file.write_text(
        text_of("splitwise_en.csv") + "2026-03-01,Hotel,Hotel,30.00,USD,-10.00,20.00,-10.00,0.00\n"
    )
    error = asha.fails(1, "import", str(file))
    assert error["code"] == "import_refused"
    assert error["details"] == ["rows.16: it is in USD, the group is in INR"]
    assert "This can't be imported as it is." in asha.says("import", str(file), "--dry-run")
    done = asha.gets("import", str(file), "--skip-refused", "--new", "Asha Rao")["import"]
    assert done["counts"]["skipped"] == 1


def test_what_is_meant_has_to_be_said(people: MakePerson, tmp_path: Path) -> None:
    asha = asha_in_goa(people)
    assert asha.fails(2, "import", SPLITWISE, "--member", "Asha Rao")["code"] == "usage"
    assert asha.fails(2, "import", str(tmp_path / "none"))["code"] == "unreadable_file"
    (tmp_path / "latin").write_bytes(b"caf\xe9")
    assert asha.fails(2, "import", str(tmp_path / "latin"))["code"] == "unreadable_file"
    assert asha.fails(2, "export", "--kind", "xls")["code"] == "usage"
    assert asha.fails(2, "export")["code"] == "usage"
    assert asha.fails(3, "export", "-o", str(tmp_path / "x"), PERSPLIT_OFFLINE="1")["code"] == "offline"


def test_a_group_goes_out_as_a_table_and_as_all_of_it(people: MakePerson, tmp_path: Path) -> None:
    asha = asha_in_goa(people)
    asha.says("import", SPLITWISE)
    assert asha.says("export").startswith("Date,Type,Description")
    whole = tmp_path / "goa.json"
    assert asha.gets("export", "--kind", "json", "-o", str(whole))["bytes"] == whole.stat().st_size
    assert asha.fails(1, "export", "--kind", "json", "-o", str(whole))["code"] == "unwritable_file"
    assert json.loads(whole.read_text())["format"] == "persplit"
    table = tmp_path / "goa.csv"
    assert "Goa is in" in asha.says("export", "--bom", "-o", str(table))
    assert table.read_bytes().startswith(b"\xef\xbb\xbfDate")
    asha.says("group", "create", "Again")
    done = asha.gets("import", str(whole), "--group", "Again")["import"]
    assert done["format"] == "persplit"
    assert sorted(done["balances"].values()) == sorted([2_269_083, -711_917, -1_021_916, -535_250, 0])
