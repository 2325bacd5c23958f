"""OPERATIONS.md, the dashboard and the alert rules: every metric is explained, and everything that is named exists."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram

from persplit.service import metrics

HOME: Final = Path(metrics.__file__).parent.parent
GUIDE: Final = (HOME / "OPERATIONS.md").read_text() if (HOME / "OPERATIONS.md").exists() else ""
DASHBOARD: Final[dict[str, Any]] = json.loads((HOME / "operations" / "dashboard.json").read_text())
RULES: Final[list[dict[str, Any]]] = yaml.safe_load((HOME / "operations" / "alerts.yml").read_text())[
    "groups"
][0]["rules"]

PROMETHEUS_LABELS: Final = frozenset({"instance", "job"})
"""Added by who scrapes."""


def all_metrics() -> list[Counter | Gauge | Histogram]:
    """In the order in which they are defined."""
    named = [found for name, found in vars(metrics).items() if name.isupper()]
    return [found for found in named if isinstance(found, Counter | Gauge | Histogram)]


def metric_table() -> str:
    """The table of OPERATIONS.md, as the metrics themselves describe it."""
    rows = ["| name | type | labels | meaning |", "|---|---|---|---|"]
    for metric in all_metrics():
        name = f"{metric._name}_total" if isinstance(metric, Counter) else metric._name
        labels = ", ".join(f"`{label}`" for label in metric._labelnames)
        rows.append(f"| `{name}` | {metric._type} | {labels} | {metric._documentation} |")
    return "\n".join(rows)


def labels_by_series() -> dict[str, frozenset[str]]:
    """The names that Prometheus knows, with the labels that each has."""
    known: dict[str, frozenset[str]] = {}
    for metric in all_metrics():
        labels = frozenset(metric._labelnames) | PROMETHEUS_LABELS
        if isinstance(metric, Counter):
            known[f"{metric._name}_total"] = labels
        elif isinstance(metric, Histogram):
            known |= {f"{metric._name}_sum": labels, f"{metric._name}_count": labels}
            known[f"{metric._name}_bucket"] = labels | {"le"}
        else:
            known[metric._name] = labels
    return known


def expressions() -> Iterator[tuple[str, str]]:
    """Where each PromQL expression stands, and the expression."""
    for rule in RULES:
        yield rule["alert"], rule["expr"]
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


_SELECTOR: Final = re.compile(r"(?<![\w$])([a-z]\w*_\w+)(\{[^}]*\})?")
_FUNCTIONS: Final = frozenset({"histogram_quantile"})


def faults_of(expression: str) -> list[str]:
    """Names of metrics and labels in it that don't exist."""
    known = labels_by_series()
    text = re.sub(r"(?<==~)\"[^\"]*\"|(?<=[=])\"[^\"]*\"", '""', expression)
    faults, allowed = [], set(PROMETHEUS_LABELS)
    for name, matchers in _SELECTOR.findall(text):
        if name in _FUNCTIONS or name == "$__rate_interval":
            continue
        if name not in known:
            faults.append(name)
            continue
        allowed |= known[name]
        faults += [label for label in re.findall(r"(\w+)\s*[!=]", matchers) if label not in known[name]]
    for listed in re.findall(r"\b(?:by|without|on)\s*\(([^)]*)\)", text):
        faults += [label for label in re.split(r"[\s,]+", listed) if label and label not in allowed]
    return faults


def test_every_metric_is_explained_in_the_guide_as_it_explains_itself() -> None:
    assert len(all_metrics()) == len(list(metrics.REGISTRY.collect())), "one is registered under another name"
    missing = [row for row in metric_table().splitlines() if row not in GUIDE.splitlines()]
    assert not missing, "OPERATIONS.md lacks these rows:\n" + "\n".join(missing)
    listed = re.findall(r"^\| `(persplit_\w+)`", GUIDE, re.MULTILINE)
    assert len(listed) == len(all_metrics()), "it lists one that is gone"


def test_labels_are_never_people_groups_or_addresses() -> None:
    labels = {label for metric in all_metrics() for label in metric._labelnames}
    assert labels <= {
        *("method", "route", "code", "event", "type", "kind", "budget", "outcome", "reason", "source"),
        *("through", "optimal", "version", "python", "store", "schema"),
    }


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_an_expression_names_only_metrics_and_labels_that_exist(where: str, expression: str) -> None:
    assert "persplit_" in expression, where
    assert faults_of(expression) == [], where


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("rate(persplit_socketss[5m])", "persplit_socketss"),
        ('persplit_sockets{user="asha"}', "user"),
        ("sum by (group) (persplit_commands_total)", "group"),
        ("rate(persplit_append_seconds[5m])", "persplit_append_seconds"),
    ],
)
def test_a_name_that_does_not_exist_is_found(expression: str, fault: str) -> None:
    assert fault in faults_of(expression)


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_an_alert_says_how_bad_it_is_what_it_means_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"]
    assert rule["annotations"]["runbook"] == f"OPERATIONS.md#{rule['alert'].lower()}"
    section = GUIDE.partition(f"\n### {rule['alert']}\n")[2].partition("\n### ")[0]
    assert rule["annotations"]["description"] in section
    assert "**What to do.**" in section


def test_the_guide_has_no_alert_that_is_gone() -> None:
    assert re.findall(r"^### (PerSplit\w+)$", GUIDE, re.MULTILINE) == [rule["alert"] for rule in RULES]


def test_every_panel_has_a_place_of_its_own_and_every_metric_is_on_one() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + i, place["y"] + j) for i in range(place["w"]) for j in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
    shown = " ".join(expression for _, expression in expressions())
    absent = [metric._name for metric in all_metrics() if not re.search(rf"\b{metric._name}(_|\b)", shown)]
    assert absent == []
