from __future__ import annotations

import pytest

from sentinel.model.place import ServerPlace, parse_server_place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("postgresql://sentinel@db.example.cn/centre", ServerPlace("centre", "db.example.cn", user="sentinel")),
        ("postgres://db:5433/centre", ServerPlace("centre", "db", 5433)),
        ("postgresql:///centre?host=/run/postgresql", ServerPlace("centre", "/run/postgresql")),
        ("postgresql://u@[2001:db8::5]:5432/c", ServerPlace("c", "2001:db8::5", 5432, "u")),
        ("postgresql://h/c?schema=other", ServerPlace("c", "h", schema="other")),
        (
            "postgresql://h/c?sslmode=verify-full&sslrootcert=/etc/ssl/ca.pem",
            ServerPlace("c", "h", options=(("sslmode", "verify-full"), ("sslrootcert", "/etc/ssl/ca.pem"))),
        ),
        ("postgresql://h/%E7%9C%81%E5%8E%85?user=a%40b&port=6000", ServerPlace("省厅", "h", 6000, "a@b")),
    ],
)
def test_url_when_read_and_written_names_the_same_place(text: str, place: ServerPlace) -> None:
    assert parse_server_place(text) == place
    assert parse_server_place(str(place)) == place


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("postgresql://u:secret@h/c", "holds a password"),
        ("postgresql://u:@h/c", "holds a password"),
        ("postgresql://h/c?password=secret", "holds a password"),
        ("postgresql://h/c?passfile=/tmp/secret", "holds a password"),
        ("mysql://h/c", "is no URL"),
        ("centre", "is no URL"),
        ("postgresql://h", "is no URL"),
        ("postgresql://h/a/b", "is no URL"),
        ("postgresql://h:port/c", "is no URL"),
        ("postgresql://h/c?port=99999", "port"),
        ("postgresql://h/c?schema=Upper", "schema"),
        ("postgresql://h/c?schema=pg_catalog", "schema"),
        ("postgresql://h/c?schema=a;b", "schema"),
        ("postgresql://h/c?options=-cfsync%3Doff", "'options' has no place"),
        ("postgresql://h/c%0A", "cannot be printed"),
    ],
)
def test_url_that_names_no_place_is_refused_without_repeating_a_secret(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        parse_server_place(text)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
