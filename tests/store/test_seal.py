from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sentinel.errors import StoreError
from sentinel.store.seal import CREDENTIAL, Seal, load_seal, make_seal


def test_seal_when_made_twice_is_one_key_of_mode_0600(tmp_path: Path) -> None:
    path = tmp_path / "config" / "contact.key"
    with ThreadPoolExecutor(4) as pool:
        seals = list(pool.map(make_seal, [path] * 8))
    assert {seal.id for seal in seals} == {make_seal(path).id}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["contact.key"]


def test_sealed_text_always_hides_the_text_and_opens_in_its_place_only(tmp_path: Path) -> None:
    seal = make_seal(tmp_path / "contact.key")
    sealed = seal.close("13800000000", "contact a")
    assert b"138" not in sealed
    assert sealed != seal.close("13800000000", "contact a")
    assert seal.open(sealed, "contact a") == "13800000000"
    assert seal.open(sealed, "contact b") is None
    assert seal.open(sealed[:-1] + bytes([sealed[-1] ^ 1]), "contact a") is None
    assert seal.open(b"", "contact a") is None
    assert Seal(bytes(32)).open(sealed, "contact a") is None


def test_load_when_there_is_no_key_gives_nothing(tmp_path: Path) -> None:
    assert load_seal(tmp_path / "contact.key") is None


def test_load_when_others_may_read_the_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "contact.key"
    make_seal(path)
    path.chmod(0o640)
    with pytest.raises(StoreError, match="others may read the key"):
        load_seal(path)


@pytest.mark.parametrize("content", [b"", b"short", b"not base64 at all!", b"c2hvcnQ="])
def test_load_when_the_file_holds_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "contact.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(StoreError, match="holds no contact key"):
        load_seal(path)


def test_credential_of_systemd_when_there_comes_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, path = make_seal(tmp_path / CREDENTIAL), tmp_path / "contact.key"
    mine = make_seal(path)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    found = load_seal(path)
    assert found is not None
    assert found.id == other.id != mine.id


def test_make_when_the_folder_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        make_seal(tmp_path / "file" / "contact.key")
