"""Settings: `sentinel.toml` of a home and `SENTINEL_*` variables in, one frozen `Settings` out.

The order of precedence: environment, file, default. Written on dataclasses rather than a settings library because every
command loads it: see docs/decisions/0003-light-start.md.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from sentinel.errors import ConfigError
from sentinel.model.place import ServerPlace, parse_server_place
from sentinel.model.ports import parse_ports

DEFAULT_PORTS = (
    "T:21-23,25,53,80-90,110-111,135,139,143,161,179,389,443-445,465,502,512-515,548,554,587,623,631,636,873,"
    "990,993,995,1080,1099,1433,1521,1723,1883,2049,2121,2181,2222,2375-2376,3000,3128,3260,3306,3333,3389,4444,"
    "4848,5000,5060,5432,5555,5601,5672,5900-5903,5984-5986,6379,6443,7001-7002,7547,7777,8000-8010,8020,8069,"
    "8080-8091,8161,8443,8500,8554,8800,8848,8880,8888-8889,9000-9003,9043,9060,9080,9090-9092,9100,9200,9300,"
    "9418,9443,9999,10000,10050-10051,10250,11211,14444,15672,16010,20000,27017-27018,33060,37777,50000,50070,61616"
)
"""Ports a school's services, equipment and usual mistakes live on; the first question of a scan without `--ports`."""


_NAME = re.compile(r"(?:[\w-]{1,63}\.)+[\w-]{2,63}")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("must be text")
    return value


def _port_text(value: object) -> str:
    parse_ports(_text(value))
    return _text(value)


def _server(value: object) -> str:
    if text := _text(value).strip():
        parse_server_place(text)
    return text


def _choice(*allowed: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return str(value)

    return read


def _whole(low: int, high: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        try:
            number = int(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else None
        except ValueError:
            number = None
        if number is None or not low <= number <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return number

    return read


def _flag(value: object) -> bool:
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise TypeError("must be true or false")
    return value


def _folders(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(piece for piece in value.split(os.pathsep) if piece)
    if isinstance(value, list) and all(isinstance(piece, str) for piece in value):
        return tuple(value)
    raise ValueError("must be a list of folders")


def _names(value: object) -> tuple[str, ...]:
    pieces = value.split(",") if isinstance(value, str) else value
    if not isinstance(pieces, list) or not all(isinstance(piece, str) for piece in pieces):
        raise TypeError("must be a list of domain names")
    names = tuple(piece.strip().lower().strip(".") for piece in pieces if piece.strip())
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no domain name (write school.edu.cn)")
    return names


def _resolver(value: object) -> str:
    text = _text(value).strip()
    server, _, port = text.partition("#")
    if text:
        ip_address(server)
        if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
            raise ValueError(f"{port!r} is no port number")
    return text


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting of sentinel; each field's metadata holds its reader and its line of the guide."""

    unit: str = field(default="", metadata={"read": _text, "zh": "不带 --unit 时命令所指的单位代码"})
    operator: str = field(default="", metadata={"read": _text, "zh": "写入审计与探测记录的操作者；留空为系统登录名"})
    vantage: str = field(
        default="inside", metadata={"read": _text, "zh": "默认探测位置，如 inside（校内）、outside（校外）"}
    )
    language: str = field(default="zh", metadata={"read": _choice("zh", "en"), "zh": "报告与表格的语言：zh 或 en"})
    ports: str = field(
        default=DEFAULT_PORTS, metadata={"read": _port_text, "zh": "scan 不带 --ports 时探测的端口（nmap 写法）"}
    )
    rate_pps: int = field(
        default=100, metadata={"read": _whole(1, 1_000_000), "zh": "新建授权的默认速率上限，每秒报文或连接数"}
    )
    job_size: int = field(default=64, metadata={"read": _whole(1, 64), "zh": "每个扫描作业的地址数，至多 64"})
    job_timeout_s: int = field(
        default=0,
        metadata={"read": _whole(0, 86_400), "zh": "单个扫描作业的时限（秒），0 为按速率推算；超时留下已得结果"},
    )
    rules: tuple[str, ...] = field(
        default=(), metadata={"read": _folders, "zh": "本单位自有规则文件夹，与自带规则一并使用"}
    )
    ranking: bool = field(
        default=False, metadata={"read": _flag, "zh": "是否允许按评分排名（`score rank`）；主管部门决定后才打开"}
    )
    log_level: str = field(
        default="warning",
        metadata={"read": _choice("debug", "info", "warning", "error"), "zh": "写到标准错误的日志级别"},
    )
    contact_key: str = field(
        default="",
        metadata={
            "read": _text,
            "zh": "联系人密钥文件（权限 0600，与数据目录分开存放）；留空为 ~/.config/sentinel/contact.key",
        },
    )
    database: str = field(
        default="",
        metadata={
            "read": _server,
            "zh": "数据库：postgresql://用户@主机/库名（口令不写在此处）；留空为 var/ 中的 SQLite",
        },
    )
    busy_timeout_s: int = field(default=30, metadata={"read": _whole(1, 600), "zh": "等待数据库写锁的时限（秒）"})
    backup_dir: str = field(
        default="",
        metadata={"read": _text, "zh": "每日备份的文件夹，宜在另一块磁盘上，写绝对路径；留空则 run 不作备份"},
    )
    backup_keep: int = field(default=7, metadata={"read": _whole(1, 1000), "zh": "每日备份保留的份数"})
    evidence_budget_mib: int = field(
        default=0,
        metadata={
            "read": _whole(0, 10_000_000),
            "zh": "证据所占磁盘的预算（MiB），0 为不限；只清除无人引用的，最旧在前",
        },
    )
    log_size_mib: int = field(
        default=10, metadata={"read": _whole(1, 1024), "zh": "var/log 中每个日志文件的大小上限（MiB），满则轮换"}
    )
    log_keep: int = field(default=5, metadata={"read": _whole(1, 100), "zh": "轮换后保留的旧日志文件数"})
    confirm_days: int = field(
        default=180,
        metadata={"read": _whole(1, 3650), "zh": "登记的信息系统多少天内须确认一次（动态更新），逾期列为隐患"},
    )
    own_domains: tuple[str, ...] = field(
        default=(), metadata={"read": _names, "zh": '本单位的域名，如 ["school.edu.cn"]；用来辨认双非网站，不写则不判'}
    )
    resolver: str = field(
        default="", metadata={"read": _resolver, "zh": "深查域名所用的解析服务器：地址，或 地址#端口；留空用系统的"}
    )
    silent_days: int = field(
        default=8, metadata={"read": _whole(1, 365), "zh": "某类数据（扫描、导入、抓包）多少天没有到来即告警"}
    )
    probe_snmp_public: bool = field(
        default=False,
        metadata={
            "read": _flag,
            "zh": "本单位同意 probe 以团体名 public 只读一项（sysDescr）核实 SNMP 默认团体名；未同意则不发",
        },
    )

    @property
    def server(self) -> ServerPlace | None:
        """Where the tables lie on a server; None: in a file of the home."""
        return parse_server_place(self.database) if self.database else None


SETTINGS_FILE = "sentinel.toml"
_PREFIX = "SENTINEL_"
_NOT_SETTINGS = {"SENTINEL_HOME"}


def load_settings(home: Path | None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of a home; without a home or a file, the environment over the defaults.

    Raises:
        ConfigError: the file cannot be read, or a setting is unknown, of the wrong kind or out of range.
    """
    environment = os.environ if environment is None else environment
    raw: dict[str, tuple[object, str]] = {}
    if home is not None:
        path = home / SETTINGS_FILE
        raw.update({name: (value, f"{path}: {name}") for name, value in _read_file(path).items()})
    for name, text in environment.items():
        if name.startswith(_PREFIX) and name not in _NOT_SETTINGS:
            raw[name.removeprefix(_PREFIX).lower()] = (text, name)
    known = {one.name: one for one in fields(Settings)}
    values: dict[str, object] = {}
    for name, (value, where) in raw.items():
        if name not in known:
            raise ConfigError(f"{where}: unknown setting; known are {', '.join(sorted(known))}")
        try:
            values[name] = known[name].metadata["read"](value)
        except (ValueError, TypeError) as error:
            raise ConfigError(f"{where}: {error}") from error
    return Settings(**values)  # type: ignore[arg-type]  # each reader returns its field's type


def _read_file(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as stream:
            return tomllib.load(stream)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error


def build_settings_text(unit: str, database: str = "") -> str:
    """Write a fresh `sentinel.toml`: unit and database, and every other setting as a comment with its default."""
    given = {"unit": unit} | ({"database": database} if database else {})
    lines = ["# sentinel 设置。去掉行首的 # 即生效；环境变量 SENTINEL_<大写名称> 优先于本文件。", ""]
    for one in fields(Settings):
        default: Any = given.get(one.name, one.default)
        shown = f"{one.name} = {_value_text(default)}"
        lines += [f"# {one.metadata['zh']}", shown if one.name in given else f"# {shown}", ""]
    return "\n".join(lines)


def edit_settings(home: Path, name: str, text: str | None) -> str:
    """Give the text of a home's `sentinel.toml` with one setting changed (None: back to its default), all else kept.

    Raises:
        ConfigError: the setting is unknown or the value is none of it, or the file cannot be read.
    """
    known = {one.name: one for one in fields(Settings)}
    if name not in known:
        raise ConfigError(f"{name}: unknown setting; known are {', '.join(sorted(known))}")
    try:
        value: Any = known[name].default if text is None else known[name].metadata["read"](text)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{name}: {error}") from error
    path = home / SETTINGS_FILE
    before = _read_file(path)
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    after = before | {name: list(value) if isinstance(value, tuple) else value}
    if text is None:
        after.pop(name)
    edited = "\n".join(_edit_lines(lines, name, _value_text(value), is_set=text is not None)) + "\n"
    if not _is_toml(edited) or tomllib.loads(edited) != after:
        raise ConfigError(f"{path}: {name} stands where it cannot be changed safely; edit the file by hand")
    return edited


def write_settings(home: Path, text: str) -> None:
    """Put a new `sentinel.toml` in the place of the old one, whole or not at all.

    Raises:
        ConfigError: it cannot be written.
    """
    path = (home / SETTINGS_FILE).resolve()
    draft = path.with_name(f".{path.name}.part")
    try:
        with draft.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        if path.exists():
            draft.chmod(path.stat().st_mode & 0o777)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ConfigError(f"{path}: cannot be written: {error.strerror or error}") from error


def _edit_lines(lines: list[str], name: str, value: str, *, is_set: bool) -> list[str]:
    """Put the setting where it stands, else where `init` left its comment, else at the end."""
    fresh = f"{name} = {value}" if is_set else f"# {name} = {value}"
    found = next((place for place, line in enumerate(lines) if re.match(rf"\s*{name}\s*=", line)), None)
    if found is not None:
        end = found + 1
        while end < len(lines) and not _is_toml("\n".join(lines[found:end])):
            end += 1
        return [*lines[:found], fresh + _comment_of(lines[end - 1]), *lines[end:]]
    if not is_set:
        return lines
    hint = next((place for place, line in enumerate(lines) if re.match(rf"#\s*{name}\s*=", line)), None)
    return [*lines, fresh] if hint is None else [*lines[:hint], fresh, *lines[hint + 1 :]]


def _comment_of(line: str) -> str:
    """Give the comment a person wrote behind a value, with a blank before it."""
    for place, letter in enumerate(line):
        if letter == "#" and (_is_toml(line[:place]) or line[:place].strip() == "]"):
            return f"  {line[place:]}"
    return ""


def _is_toml(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _value_text(value: object) -> str:
    """Write a value as TOML."""
    text = json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
    return text.replace("\x7f", "\\u007f")  # the one character JSON leaves bare and TOML does not


def data_folder(name: str) -> Path:
    """Find `rules` or `reports`: inside the installed package, else beside it in a checkout.

    Raises:
        ConfigError: neither is there; the installation is broken.
    """
    package = Path(__file__).parent
    for folder in (package / "_data" / name, package.parent / name):
        if folder.is_dir():
            return folder
    raise ConfigError(f"folder {name!r} of the installation is missing; install sentinel again")
