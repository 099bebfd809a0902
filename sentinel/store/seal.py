"""Personal data sealed at rest: AES-256-GCM under a key that lies apart from the database.

The key is a file of mode 0600 outside the home, or a systemd credential; a stolen database or backup shows nothing.
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from sentinel.errors import StoreError

CREDENTIAL = "sentinel-contact-key"
"""Name of the systemd credential that may hold the key."""

_KEY_BYTES = 32
_NONCE_BYTES = 12


class Seal:
    """Seals and opens texts; what was sealed for one place cannot be opened as if it stood in another."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @property
    def id(self) -> str:
        """Tells keys apart without telling the key."""
        return sha256(b"sentinel key id" + self._key).hexdigest()[:16]

    def close(self, text: str, place: str) -> bytes:
        """Seal a text for a place, e.g. `contact school security`."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self._key).encrypt(nonce, text.encode(), place.encode())

    def lookup(self, text: str, place: str) -> bytes:
        """Give 16 bytes by which a sealed text is found again: the same text at the same place gives the same ones."""
        derived = hmac.digest(self._key, b"sentinel lookup key", "sha256")
        return hmac.digest(derived, f"{place}\0{text}".encode(), "sha256")[:16]

    def open(self, sealed: bytes, place: str) -> str | None:
        """Give the text; None when it was sealed with another key, for another place, or was changed."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        with suppress(InvalidTag, ValueError):
            return AESGCM(self._key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.encode()).decode()
        return None


def load_seal(path: Path) -> Seal | None:
    """Read the key: the systemd credential when there is one, else the file; None when there is neither.

    Raises:
        StoreError: the file cannot be read, holds no key, or others may read it.
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    credential = Path(folder) / CREDENTIAL if folder else None
    if credential is not None and credential.exists():
        return Seal(_read_key(credential))
    if not path.exists():
        return None
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise StoreError(f"{path}: others may read the key; `chmod 600 {path}`, and think of it as told")
    return Seal(_read_key(path))


def make_seal(path: Path) -> Seal:
    """Read the key, or make one with mode 0600 where there is none; two processes at once make one.

    Raises:
        StoreError: as `load_seal`, or the file cannot be written.
    """
    found = load_seal(path)
    if found is not None:
        return found
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(draft, "wb", opener=_owner_only) as stream:
            stream.write(b64encode(secrets.token_bytes(_KEY_BYTES)) + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    except OSError as error:
        raise StoreError(f"{path}: the contact key cannot be written: {error.strerror or error}") from error
    return Seal(_read_key(path))


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_EXCL, 0o600)


def _read_key(path: Path) -> bytes:
    try:
        key = b64decode(path.read_bytes().strip(), validate=True)
    except OSError as error:
        raise StoreError(f"{path}: the contact key cannot be read: {error.strerror or error}") from error
    except Base64Error as error:
        raise StoreError(f"{path}: holds no contact key") from error
    if len(key) != _KEY_BYTES:
        raise StoreError(f"{path}: holds no contact key")
    return key
