from __future__ import annotations

import threading
import time
from datetime import datetime

from sentinel.console.builds import Builds
from sentinel.errors import RenderError
from tests.homes import NOW


def test_thing_when_asked_twice_is_made_once_for_a_state() -> None:
    builds, made = Builds(), []

    def make() -> tuple[object, datetime]:
        made.append(1)
        return len(made), NOW

    first = builds.ask("key", 1, make, wait_s=5)
    assert (first.value, first.fresh, first.building) == (1, True, False)
    assert builds.ask("key", 1, make, wait_s=5).value == 1
    assert builds.ask("other", 1, make, wait_s=5).value == 2


def test_thing_when_something_changed_is_made_anew_and_the_old_one_served_meanwhile() -> None:
    builds, going = Builds(), threading.Event()
    builds.ask("key", 1, lambda: ("old", NOW), wait_s=5)
    time.sleep(0.05)

    def make() -> tuple[object, datetime]:
        going.wait(5)
        return "new", NOW

    meanwhile = builds.ask("key", 2, make)
    assert (meanwhile.value, meanwhile.fresh, meanwhile.building) == ("old", False, True)
    going.set()
    assert builds.ask("key", 2, make, wait_s=5).value == "new"


def test_thing_when_it_took_long_rests_before_it_is_made_anew() -> None:
    builds = Builds()

    def make() -> tuple[object, datetime]:
        time.sleep(0.2)
        return "slow", NOW

    builds.ask("key", 1, make, wait_s=5)
    again = builds.ask("key", 2, make, wait_s=5)
    assert (again.value, again.fresh, again.building) == ("slow", False, False)


def test_thing_when_it_cannot_be_made_tells_why_and_the_others_are_made() -> None:
    builds = Builds()

    def fail() -> tuple[object, datetime]:
        raise RenderError("no template")

    def fault() -> tuple[object, datetime]:
        raise ZeroDivisionError("oh")

    assert builds.ask("one", 1, fail, wait_s=5).failure == "no template"
    assert builds.ask("two", 1, fault, wait_s=5).failure == "ZeroDivisionError: oh"
    assert builds.ask("three", 1, lambda: ("good", NOW), wait_s=5).value == "good"


def test_things_when_many_are_asked_for_are_not_all_kept() -> None:
    builds = Builds()
    for one in range(100):
        builds.ask(one, 1, lambda: ("value", NOW), wait_s=5)
    assert len(builds._entries) <= 33
