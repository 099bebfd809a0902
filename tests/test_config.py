from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel import config
from sentinel.config import (
    DEFAULT_PORTS,
    SETTINGS_FILE,
    Settings,
    build_settings_text,
    data_folder,
    edit_settings,
    load_settings,
    write_settings,
)
from sentinel.errors import ConfigError
from sentinel.model.place import ServerPlace
from sentinel.model.ports import parse_ports


def load(tmp_path: Path, text: str = "", **environment: str) -> Settings:
    (tmp_path / SETTINGS_FILE).write_text(text, encoding="utf-8")
    return load_settings(tmp_path, environment)


def test_settings_without_home_file_or_environment_are_the_defaults(tmp_path: Path) -> None:
    assert load_settings(None, {}) == load_settings(tmp_path, {}) == Settings()
    assert load_settings(None, {"PATH": "/bin", "SENTINEL_HOME": "/somewhere"}) == Settings()


def test_default_ports_can_be_read() -> None:
    assert len(parse_ports(DEFAULT_PORTS)["tcp"]) > 100


def test_settings_are_read_from_the_real_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTINEL_VANTAGE", "outside")
    assert load_settings(None).vantage == "outside"


def test_settings_file_sets_every_kind(tmp_path: Path) -> None:
    made = load(
        tmp_path,
        'unit = "s"\noperator = "o"\nvantage = "outside"\nlanguage = "en"\nports = "22,U:53"\nrate_pps = 7\n'
        'job_size = 8\njob_timeout_s = 9\nrules = ["a", "b c"]\nlog_level = "debug"\nbusy_timeout_s = 10\n'
        'database = "postgresql://h/c"\n'
        'contact_key = "/k"\nbackup_dir = "/b"\nbackup_keep = 11\nevidence_budget_mib = 12\nlog_size_mib = 13\n'
        "log_keep = 14\nsilent_days = 15\nconfirm_days = 16\n"
        'own_domains = ["School.example."]\nranking = true\nprobe_snmp_public = true\n'
        'resolver = "192.0.2.53#5353"\n',
    )
    given = {
        "unit": "s",
        "operator": "o",
        "vantage": "outside",
        "language": "en",
        "ports": "22,U:53",
        "rate_pps": 7,
        "job_size": 8,
        "job_timeout_s": 9,
        "rules": ("a", "b c"),
        "ranking": True,
        "log_level": "debug",
        "busy_timeout_s": 10,
        "contact_key": "/k",
        "database": "postgresql://h/c",
        "backup_dir": "/b",
        "backup_keep": 11,
        "evidence_budget_mib": 12,
        "log_size_mib": 13,
        "log_keep": 14,
        "confirm_days": 16,
        "own_domains": ("school.example",),
        "silent_days": 15,
        "probe_snmp_public": True,
        "resolver": "192.0.2.53#5353",
    }
    assert dataclasses.asdict(made) == given


def test_environment_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    made = load(tmp_path, 'rate_pps = 7\nvantage = "outside"\n', SENTINEL_RATE_PPS="9", SENTINEL_RULES="/a:/b:")
    assert load(tmp_path, "", SENTINEL_PROBE_SNMP_PUBLIC="TRUE").probe_snmp_public
    assert (made.rate_pps, made.vantage, made.rules, made.job_size) == (9, "outside", ("/a", "/b"), 64)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("colour = 1", "colour: unknown setting; known are backup_dir, "),
        ("unit = 1", "unit: must be text"),
        ("ports = 22", "ports: must be text"),
        ('ports = "http"', "ports: no port or range of ports: 'http'"),
        ('language = "fr"', "language: must be one of zh, en"),
        ("language = ['zh']", "language: must be one of zh, en"),
        ("log_level = 1", "log_level: must be one of debug, info, warning, error"),
        ("probe_snmp_public = 1", "probe_snmp_public: must be true or false"),
        ('probe_snmp_public = "yes"', "probe_snmp_public: must be true or false"),
        ("rate_pps = 0", "rate_pps: must be a whole number from 1 to 1000000"),
        ("rate_pps = 1.5", "rate_pps: must be a whole number"),
        ("rate_pps = true", "rate_pps: must be a whole number"),
        ('rate_pps = "many"', "rate_pps: must be a whole number"),
        ("job_size = 65", "job_size: must be a whole number from 1 to 64"),
        ("job_timeout_s = -1", "job_timeout_s: must be a whole number from 0 to 86400"),
        ("busy_timeout_s = 601", "busy_timeout_s: must be a whole number from 1 to 600"),
        ("rules = 1", "rules: must be a list of folders"),
        ("rules = [1]", "rules: must be a list of folders"),
        ("[rate_pps]\na = 1", "rate_pps: must be a whole number"),
        ("unit = ", "Invalid value"),
        ("unit = 'a'\nunit = 'b'", "Cannot overwrite a value"),
    ],
)
def test_wrong_setting_is_refused_in_one_line_that_names_file_and_setting(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / SETTINGS_FILE}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SENTINEL_COLOUR", "red", "SENTINEL_COLOUR: unknown setting"),
        ("SENTINEL_RATE_PPS", "fast", "SENTINEL_RATE_PPS: must be a whole number"),
        ("SENTINEL_PORTS", "", "SENTINEL_PORTS: "),
    ],
)
def test_wrong_variable_is_refused_by_its_name(name: str, value: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(None, {name: value})
    assert str(caught.value).startswith(words)


def test_settings_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_bytes(b"unit = '\xff'")
    with pytest.raises(ConfigError, match=r"sentinel\.toml: 'utf-8' codec"):
        load_settings(tmp_path, {})


def test_settings_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).mkdir()
    with pytest.raises(ConfigError, match="Is a directory"):
        load_settings(tmp_path, {})


def test_fresh_settings_file_sets_the_unit_and_shows_the_rest(tmp_path: Path) -> None:
    text = build_settings_text("school")
    assert load(tmp_path, text) == Settings(unit="school")
    wide_open = "\n".join(line.removeprefix("# ") if " = " in line else line for line in text.splitlines())
    assert load(tmp_path, wide_open) == Settings(unit="school")
    assert set(tomllib.loads(wide_open)) == {one.name for one in dataclasses.fields(Settings)}


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_fresh_settings_file_always_is_toml_that_gives_the_unit_back(unit: str) -> None:
    assert tomllib.loads(build_settings_text(unit)) == {"unit": unit}


@pytest.mark.parametrize("name", ["rules", "reports"])
def test_data_folder_is_found_in_a_checkout(name: str) -> None:
    assert data_folder(name).name == name
    assert any(data_folder(name).iterdir())


def test_data_folder_inside_the_package_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("sentinel/_data/rules", "rules", "reports"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setattr(config, "__file__", str(tmp_path / "sentinel" / "config.py"))
    assert data_folder("rules") == tmp_path / "sentinel" / "_data" / "rules"
    assert data_folder("reports") == tmp_path / "reports"


def test_data_folder_that_is_missing_says_what_to_do() -> None:
    with pytest.raises(ConfigError, match="folder 'nothing' of the installation is missing"):
        data_folder("nothing")


@settings(deadline=None, max_examples=40)
@given(
    st.dictionaries(
        st.sampled_from(["rate_pps", "vantage", "rules", "unit"]),
        st.integers(1, 99).map(str) | st.none(),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from(["", "  # kept # twice", "  # 'quoted'"]),
)
def test_settings_file_when_edited_changes_one_setting_and_keeps_every_comment(
    tmp_path_factory: pytest.TempPathFactory, changes: dict[str, str | None], comment: str
) -> None:
    home = tmp_path_factory.mktemp("home")
    text = build_settings_text("school") + f'\noperator = "a # b"{comment}\n# 本校自己的注释\n'
    (home / SETTINGS_FILE).write_text(text, encoding="utf-8")
    for name, value in changes.items():
        before = load_settings(home, {})
        write_settings(home, edit_settings(home, name, value))
        wanted = (
            getattr(Settings(), name)
            if value is None
            else {"rate_pps": int, "rules": lambda v: (v,)}.get(name, str)(value)
        )
        assert load_settings(home, {}) == dataclasses.replace(before, **{name: wanted})
        kept = (home / SETTINGS_FILE).read_text(encoding="utf-8")
        assert kept.endswith(f'\noperator = "a # b"{comment}\n# 本校自己的注释\n')
        assert [line for line in kept.splitlines() if line.startswith("# ") and "=" not in line] == [
            line for line in text.splitlines() if line.startswith("# ") and "=" not in line
        ]


def test_setting_over_several_lines_when_edited_goes_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / SETTINGS_FILE
    path.write_text('# 开头\nrules = [\n  "a",  # 一\n  "b",\n]  # 尾注\nrate_pps = 7\n', encoding="utf-8")
    write_settings(tmp_path, edit_settings(tmp_path, "rules", "/x:/y"))
    assert path.read_text(encoding="utf-8") == '# 开头\nrules = ["/x", "/y"]  # 尾注\nrate_pps = 7\n'


def test_setting_where_it_cannot_be_told_apart_is_not_edited(tmp_path: Path) -> None:
    path = tmp_path / SETTINGS_FILE
    path.write_text('operator = """\nrate_pps = 7\n"""\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="edit the file by hand"):
        edit_settings(tmp_path, "rate_pps", "9")


def test_database_when_it_is_no_url_or_holds_a_password_is_refused_without_repeating_it(tmp_path: Path) -> None:
    for text, reason in (("postgresql://u:s3cret@h/c", "holds a password"), ("sqlite:///x.db", "is no URL")):
        with pytest.raises(ConfigError, match=reason) as caught:
            load_settings(tmp_path, {"SENTINEL_DATABASE": text})
        assert "s3cret" not in str(caught.value)
    assert load_settings(tmp_path, {"SENTINEL_DATABASE": "  "}).server is None
    place = load_settings(tmp_path, {"SENTINEL_DATABASE": "postgresql://h/c"}).server
    assert place == ServerPlace("c", "h")


def test_fresh_settings_when_a_database_is_named_hold_it(tmp_path: Path) -> None:
    (tmp_path / "sentinel.toml").write_text(build_settings_text("s", "postgresql://h/c"), encoding="utf-8")
    assert load_settings(tmp_path, {}).database == "postgresql://h/c"
    assert load_settings(tmp_path, {}).unit == "s"
