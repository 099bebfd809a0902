"""The pages of a home whose tables lie on a PostgreSQL server say what those of one in a file say."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from tests.console.large import make_large_home
from tests.console.served import Served, serving
from tests.homes import SCHOOL
from tests.store.conftest import made_home

PAGES = (
    "assets",
    "assets?q=nginx",
    "assets?q=%E5%AD%A6%E9%99%A2",
    "assets?order=severity",
    "assets?registered=no&order=last_seen",
    "assets?q=10.20.1.0/24&state=open",
    "findings",
    "findings?q=redis&order=due",
    "findings?owner=%E7%AC%AC3%E5%AD%A6%E9%99%A2",
    "reports",
)


@pytest.fixture(scope="module")
def central(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of pages for the small home's twin, its tables on a database server."""
    with made_home(tmp_path_factory.mktemp("central") / "home", "postgresql") as home:
        make_large_home(home.path, 2000, server=home.server)
        settings = home.settings.read_text(encoding="utf-8")
        home.settings.write_text(f'{settings}\ndatabase = "{home.server}"\n', encoding="utf-8")
        with serving(home.path) as server:
            server.enter()
            yield server


def words(server: Served, path: str) -> str:
    """The page without what is made anew for each: tokens and moments of the clock."""
    text = re.sub(r"<[^>]+>", " ", server.page(f"/unit/{SCHOOL.code}/{path}"))
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?", "", " ".join(text.split()))


@pytest.mark.parametrize("path", PAGES)
def test_page_of_a_home_on_a_server_says_the_same(served: Served, central: Served, path: str) -> None:
    assert words(central, path) == words(served, path)


def test_figures_of_a_home_on_a_server_are_summed_up(central: Served) -> None:
    deadline = time.monotonic() + 60
    while 'class="keys' not in (text := central.page(f"/unit/{SCHOOL.code}/")):
        assert time.monotonic() < deadline, text[:2000]
        time.sleep(0.5)
