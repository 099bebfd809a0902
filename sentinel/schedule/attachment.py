"""Files somebody hands in beside words (a notice, a reply, a re-test) in; evidence out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from sentinel.errors import ParseError, UsageError
from sentinel.model.evidence import Evidence
from sentinel.model.unit import Unit
from sentinel.schedule.context import Context, readable_name
from sentinel.schedule.keep_out import load_kept_out, refuse_count
from sentinel.store.database import Transaction
from sentinel.store.evidence import read_evidence, write_evidence

FORMAT = "attachment"
MOST_BYTES = 32 << 20
MOST_FILES = 20


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as it was read; nothing of it is stored yet."""

    name: str
    data: bytes

    @property
    def sha256(self) -> str:
        """The sum of its bytes."""
        return sha256(self.data).hexdigest()


def read_attachments(context: Context, unit: Unit, paths: Sequence[Path]) -> tuple[Attachment, ...]:
    """Read files to be kept as evidence of a unit.

    Raises:
        UsageError: there are more than 20.
        ParseError: one cannot be read, is empty or over 32 MiB, or tells an address that must stay out.
    """
    if len(paths) > MOST_FILES:
        raise UsageError(f"{len(paths)} files are too many (at most {MOST_FILES}); put them into one archive")
    kept_out = load_kept_out(context, unit)
    found = []
    for path in paths:
        try:
            with path.open("rb") as stream:
                data = stream.read(MOST_BYTES + 1)
        except OSError as error:
            raise ParseError(f"cannot be read: {error.strerror or error}", str(path)) from error
        if not data or len(data) > MOST_BYTES:
            why = "is empty" if not data else f"is larger than {MOST_BYTES >> 20} MiB"
            raise ParseError(f"{why}; hand in another file", str(path))
        if kept_out:
            refuse_count(kept_out.count_ranges(kept_out.find_in(BytesIO(data))), path.name)
        found.append(Attachment(readable_name(path), data))
    return tuple(found)


def keep_attachments(context: Context, transaction: Transaction, files: Sequence[Attachment]) -> None:
    """Keep files as evidence, inside the transaction that names them; kept ones are kept once."""
    for one in files:
        if read_evidence(context.database, one.sha256) is not None:
            continue
        with context.evidence.receive(BytesIO(one.data)) as received:
            received.keep()
            write_evidence(transaction, Evidence(one.sha256, len(one.data), one.name, FORMAT, transaction.now))
            after = {"file": one.name, "format": FORMAT}
            transaction.audit("evidence.add", f"evidence {one.sha256}", after=after)
