"""The truth of a practice school as a file."""

import json
from ipaddress import IPv4Address, IPv6Address

import pytest

from sentinel.drill.place.ground import Lot
from sentinel.drill.school.cues import ALL_CUES, Cue
from sentinel.drill.school.host import Manner
from sentinel.drill.school.plan import AFTER, BEFORE, plan_school
from sentinel.drill.school.truth import FORMAT, build_truth
from tests.drill.school.lots import LOTS, NAMESPACE


@pytest.mark.parametrize("lot", LOTS.values(), ids=LOTS)
def test_truth_when_built_then_json_keeps_all_of_it(lot: Lot) -> None:
    truth = build_truth(plan_school(lot, 3))

    assert json.loads(json.dumps(truth)) == truth
    assert truth["format"] == FORMAT
    assert (truth["seed"], truth["domain"], truth["offset"]) == (3, "school3.example", lot.offset)
    assert truth["networks"] == [str(lot.base), str(lot.base6)]


@pytest.mark.parametrize("played", [BEFORE, {Cue.HOST_APPEARS}, AFTER])
def test_truth_when_built_then_its_ports_are_the_rows_of_the_plan(played: frozenset[Cue]) -> None:
    plan = plan_school(NAMESPACE)
    truth = build_truth(plan, played)

    assert truth["played"] == sorted(played)
    for told_port, row in zip(truth["ports"], plan.truth(played), strict=True):
        assert (told_port["proto"], told_port["address"], told_port["port"]) == tuple(map(str_or_int, row.place))
        assert tuple(told_port["weaknesses"]) == row.weaknesses
        assert tuple(told_port["flaws"]) == row.flaws
        assert (told_port["service"], told_port["product"]) == (row.service, row.product)
        assert (told_port["version"], told_port["tunnel"], told_port["host"]) == (row.version, row.tunnel, row.host)
        assert (told_port["certificate"] is None) == (row.certificate is None)


def str_or_int(value: str | int | IPv4Address | IPv6Address) -> str | int:
    return value if isinstance(value, int) else str(value)


def test_truth_when_built_then_every_host_is_told_also_those_without_ports() -> None:
    plan = plan_school(NAMESPACE)
    hosts = {host["role"]: host for host in build_truth(plan)["hosts"]}

    assert list(hosts) == [host.role for host in plan.before]
    assert hosts["portal"]["addresses"] == ["10.77.1.11", "fd77:0:0:1::b"]
    assert hosts["closed"]["open_ports"] == 0
    assert hosts["silent"]["manner"] == Manner.SILENT.value
    assert (hosts["answering"]["manner"], hosts["answering"]["open_ports"]) == (Manner.ANSWERS_ALL.value, None)


def test_truth_when_built_then_each_cue_tells_its_differences_and_the_word_for_all_tells_them_together() -> None:
    plan = plan_school(NAMESPACE)
    cues = build_truth(plan, AFTER)["cues"]

    assert list(cues) == [*plan.steps, ALL_CUES]
    assert [len(cues[cue]) for cue in plan.steps] == [len(plan.expected_changes(BEFORE, {cue})) for cue in plan.steps]
    single = [tuple(change.items()) for cue in plan.steps for change in cues[cue]]
    assert sorted(map(str, single)) == sorted(str(tuple(change.items())) for change in cues[ALL_CUES])
    (renewed,) = cues["certificate-changes"]
    assert (renewed["kind"], renewed["what"]) == ("changed", ["certificate"])
