"""The `logsource` of a rule in; what it looks at out: a category of sentinel's own, or a kind of foreign log."""

from __future__ import annotations

from dataclasses import dataclass

from sentinel.assess.term import Term
from sentinel.assess.yamlnodes import Complaints, Node
from sentinel.model.rule import Category

_OWN = frozenset(Category) - {Category.LOG}


@dataclass(frozen=True, slots=True)
class Source:
    """What a rule looks at.

    Attributes:
        category: which subjects.
        log: kind of foreign log, e.g. `zeek.http`, `dns`; empty for sentinel's own categories.
    """

    category: Category
    log: str = ""

    @property
    def is_foreign(self) -> bool:
        """True for a rule written for logs, which need not know anything of sentinel."""
        return bool(self.log)

    def narrow(self, term: Term) -> Term:
        """Give the condition, for the rows of that log alone."""
        return Term("all", args=(Term("equals", "log_source", self.log, folded=True), term)) if self.log else term


def read_source(root: Node, complaints: Complaints) -> Source | None:
    """Read the logsource of a rule file; None when it has mistakes.

    Foreign are the category `dns` and any service of the product `zeek`. Source: Sigma taxonomy, SigmaHQ rules.
    """
    node = root.child("logsource")
    if node is None or not node.is_mapping:
        return None
    words = {key: str(child.value).lower() for key, child in node.entries if isinstance(child.value, str)}
    product, category, service = words.get("product"), words.get("category"), words.get("service")
    if product == "zeek" and service and not category:
        return Source(Category.LOG, f"zeek.{service}")
    if category == "dns" and product is None:
        return Source(Category.LOG, "dns")
    for key, child in node.entries:
        if key not in {"product", "category"}:
            complaints.add(child.line, f"unknown key {key!r} in logsource")
    place = node.child("product") or node
    if product != "sentinel":
        complaints.add(
            place.line, "logsource.product must be sentinel; of foreign logs, zeek with a service and category dns"
        )
    if category not in _OWN:
        names = ", ".join(one for one in Category if one in _OWN)
        complaints.add((node.child("category") or node).line, f"logsource.category must be one of {names}")
        return None
    return Source(Category(category))
