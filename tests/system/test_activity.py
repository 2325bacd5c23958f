"""The feed over all groups, and read marks that every device of a person knows."""

from tests.system.conftest import MakePhone


async def test_the_feed_and_what_is_new_in_it(phones: MakePhone) -> None:
    asha, ben = await phones("Asha"), await phones("Ben", online=True)
    goa, pune = await asha.makes_group(ben), await asha.makes_group(ben, name="Pune")
    await asha.spends(goa, 500, description="Tea")
    await asha.spends(pune, 700, description="Bus")
    feed = await ben.ok("GET", "/activity?limit=2")
    assert [it["event"]["expense"]["description"] for it in feed["entries"]] == ["Bus", "Tea"]
    assert [(it["groupName"], it["unread"]) for it in feed["entries"]] == [("Pune", True), ("Goa trip", True)]
    rest = await ben.ok("GET", f"/activity?cursor={feed['nextCursor']}")
    assert {it["event"]["type"] for it in rest["entries"]} == {"group:created", "member:joined"}
    assert rest["nextCursor"] is None
    unread = await ben.ok("GET", "/activity/unread")
    assert (unread["unread"], unread["more"]) == (2, False)

    other = await ben.another_device().connect()
    ack = await ben.done("group:read", groupId=goa, seq=1_000)
    head = next(it["seq"] for it in unread["groups"] if it["groupId"] == goa)
    assert (ack["groupId"], ack["seq"]) == (goa, head)
    assert await other.hears("activity:read") == {"groupId": goa, "seq": head}
    assert (await ben.ok("POST", f"/groups/{pune}/read", {"seq": 1}))["seq"] == 1
    counts = {it["groupId"]: it["unread"] for it in (await ben.ok("GET", "/activity/unread"))["groups"]}
    assert counts == {goa: 0, pune: 1}


async def test_what_is_refused(phones: MakePhone) -> None:
    asha, dev = await phones("Asha"), await phones("Dev")
    group_id = await asha.makes_group()
    assert (await dev.rest("POST", f"/groups/{group_id}/read", {"seq": 1})).code == "not_found"
    assert (await asha.rest("POST", f"/groups/{group_id}/read", {"seq": 0})).code == "validation_failed"
    assert (await asha.rest("GET", "/activity?cursor=NDI")).code == "validation_failed"
    assert (await dev.ok("GET", "/activity"))["entries"] == []
