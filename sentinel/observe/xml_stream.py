"""A stream of XML bytes in, the whole children of its root element out; hostile documents are refused or cut short."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO
from xml.etree.ElementTree import Element, TreeBuilder, XMLParser  # see XmlDocument
from xml.etree.ElementTree import ParseError as BrokenXml
from xml.parsers import expat

from sentinel.errors import ParseError
from sentinel.observe.text import cut_text

CHUNK = 64 * 1024
"""Bytes fed at once; from 16 to 256 KiB the time is the same."""

MAX_CHUNK = 1024 * 1024
"""Bytes fed at once while one child goes on and on: expat reads an unfinished tag anew with every chunk."""

MAX_DEPTH = 64
"""Elements inside each other; scanners write at most about ten, nested script tables included."""

MAX_CHILD = 32 * 1024 * 1024
"""Bytes of one child of the root: a host with all ports of three protocols listed and room for its scripts."""

MAX_ELEMENTS = 1_000_000
"""Elements inside one child of the root."""

MAX_PROLOG = 4 * 1024 * 1024
"""Bytes before the root element; a scanner writes a comment with its command line there."""

NOTHING_WHOLE = "before anything whole was read"

ROOT = "nmaprun"
DTD = "nmap.dtd"
"""The document type nmap's documentation and merging scripts name, wherever they say it lies; it is never opened."""


def decode_head(head: bytes) -> str:
    """Read a file's first bytes as text, whatever the encoding of the rest."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return head.decode("utf-16", "replace")
    return head.decode("latin-1")


class XmlDocument:
    """Read a document whose root has many small children, in memory for a few of them.

    The tree is built by C code without a Python call per element, and children are taken off it between chunks: a scan
    of 92 MB takes 2.3 s where expat with handlers in Python took 3.5 s. The tree builder resolves no external entity;
    declarations of entities never reach it, because a bare expat parser sees every byte before the root element first.

    Attributes:
        root: the root element once its start tag was read; its attributes are whole, its children come and go.
        fault: why the document ended early, or nothing.
        fault_byte: where, counted from the start of the stream.
        is_closed: the end tag of the root was read.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._builder = TreeBuilder()
        self._holder = self._builder.start("file", {})
        self._parser = XMLParser(target=self._builder)  # noqa: S314  # entities are refused by Prolog
        self._prolog: Prolog | None = Prolog()
        self._fed = self._child_start = self._counted = 0
        self._lines = _Lines()
        self.root: Element | None = None
        self.fault = ""
        self.fault_byte = 0
        self.is_closed = False

    def children(self) -> Iterator[Element]:
        """Yield the whole children of the root in order.

        Ends early, with `fault` set, where the document breaks or grows beyond the limits.

        Raises:
            ParseError: the document declares entities, an internal subset, or an external one other than nmap's own.
        """
        while not self.fault:
            chunk = self._read()
            if not chunk:
                self._close()
                break
            self._feed(chunk)
            if self.root is not None:
                yield from self._take(keep=1)
            if not self.fault:
                self._check_growth()
        yield from self._rest()

    def root_attributes(self) -> dict[str, str]:
        """Give the attributes of the root element; empty before its start tag was read."""
        return {} if self.root is None else self.root.attrib

    def _read(self) -> bytes:
        pending = self._fed - self._child_start
        chunk = self._stream.read(max(CHUNK, min(pending // 2, MAX_CHUNK)))
        while chunk and not self._fed:
            text = chunk.lstrip(b" \t\r\n")  # expat allows nothing before the XML declaration
            self._lines.skip(chunk[: len(chunk) - len(text)])
            self._fed += len(chunk) - len(text)
            if text:
                return text
            chunk = self._stream.read(CHUNK)
        return chunk

    def _feed(self, chunk: bytes) -> None:
        if self._prolog and self._prolog.is_over(chunk, self._fed):
            self._prolog = None
        self._lines.add(chunk)
        self._fed += len(chunk)
        try:
            self._parser.feed(chunk)
        except BrokenXml as error:
            self._break(error)
        if self.root is None and len(self._holder):
            self.root = self._holder[0]
            if self.root.tag != ROOT:
                raise ParseError(f"the root element is <{cut_text(self.root.tag, 80)}>, not <{ROOT}>")

    def _close(self) -> None:
        try:
            self._parser.close()
        except BrokenXml as error:
            self._break(error)
            self.fault = f"the file ends too early ({self.fault})"
            self.fault_byte = self._fed

    def _break(self, error: BrokenXml) -> None:
        self.fault = expat.ErrorString(error.code) or "not well-formed"
        self.fault_byte = self._lines.find(*error.position)

    def _take(self, keep: int) -> Iterator[Element]:
        """Yield children but the last `keep`, which may still be open, and take them off the tree."""
        root = self.root
        whole = len(root) - keep if root is not None else 0
        if root is not None and whole > 0:
            self._child_start, self._counted = self._fed, 0
            yield from root[:whole]
            del root[:whole]

    def _rest(self) -> Iterator[Element]:
        """Yield what is whole at the end: a marker put where the builder stands tells whether the last child is."""
        marker = self._builder.start("marker", {})
        self.is_closed = self._holder[-1] is marker
        if self.root is None:
            return
        if not self.is_closed and self.root[-1] is marker:
            del self.root[-1]
            yield from self._take(keep=0)
        else:
            yield from self._take(keep=0 if self.is_closed else 1)

    def _check_growth(self) -> None:
        """Stop when the open child becomes deeper, longer or fuller than any scanner writes."""
        depth, element = 0, self.root
        while element is not None and len(element):
            depth, element = depth + 1, element[-1]
        size = self._fed - self._child_start
        if depth > MAX_DEPTH:
            self.fault = f"elements more than {MAX_DEPTH} deep"
        elif size > MAX_CHILD:
            self.fault = f"an element of more than {MAX_CHILD} bytes"
        elif size > 2 * max(self._counted, 2**20):  # counting at each doubling keeps the sum linear
            self._counted = size
            if self.root is not None and sum(1 for _ in self.root.iter()) > MAX_ELEMENTS:
                self.fault = f"more than {MAX_ELEMENTS} elements in one"
        if self.fault:
            self.fault_byte = self._fed


class Prolog:
    """Read what stands before the root element and refuse a document type that says more than the root's name."""

    __slots__ = ("_has_root", "_has_subset", "_name", "_parser", "_skipped")

    def __init__(self) -> None:
        self._has_root = self._has_subset = False
        self._name = ""
        self._skipped: int | None = None
        self._parser = expat.ParserCreate()
        if hasattr(self._parser, "SetReparseDeferralEnabled"):  # expat 2.6 would tell of a declaration too late
            self._parser.SetReparseDeferralEnabled(False)
        self._parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        self._parser.StartDoctypeDeclHandler = self._start_doctype
        self._parser.EntityDeclHandler = self._refuse_entity
        self._parser.EndDoctypeDeclHandler = self._end_doctype
        self._parser.StartElementHandler = self._start_element

    def is_over(self, chunk: bytes, start: int) -> bool:
        """Tell whether the root element has begun, after which no entity can be declared any more.

        Args:
            chunk: the next bytes.
            start: where in the stream they stand.

        Raises:
            ParseError: an entity, an internal subset, or an external one other than nmap's own is declared, or the
                document breaks or grows too long before its root element.
        """
        self._skipped = start if self._skipped is None else self._skipped
        try:
            self._parser.Parse(chunk, False)
        except expat.ExpatError as error:
            if not self._has_root:
                where = f"byte {self._skipped + self._parser.ErrorByteIndex}"
                raise ParseError(f"{expat.ErrorString(error.code)}, {NOTHING_WHOLE}", where) from error
        except (LookupError, ValueError) as error:  # what pyexpat makes of an encoding Python has not or cannot map
            raise ParseError(f"the document is in an encoding that cannot be read: {cut_text(str(error))}") from error
        if not self._has_root and start + len(chunk) - self._skipped > MAX_PROLOG:
            raise ParseError(f"no root element in the first {MAX_PROLOG} bytes, {NOTHING_WHOLE}")
        return self._has_root

    def _start_doctype(self, name: str, system: str | None, public: str | None, has_internal_subset: int) -> None:
        self._name, self._has_subset = cut_text(name, 80), bool(has_internal_subset)
        if system is not None and system.rpartition("/")[2] != DTD:
            target = cut_text(system or public or "")
            raise ParseError(f"document type {self._name!r} points to {target!r}: outer documents are refused")

    def _refuse_entity(self, name: str, *_: object) -> None:
        raise ParseError(f"document type {self._name!r} declares entity {cut_text(name, 80)!r}: entities are refused")

    def _end_doctype(self) -> None:
        if self._has_subset:
            raise ParseError(f"document type {self._name!r} has declarations of its own: they are refused")

    def _start_element(self, _: str, __: object) -> None:
        self._has_root = True


class _Lines:
    """Find the byte of a line and column in the chunk read last."""

    __slots__ = ("_chunk", "_chunk_start", "_line_start", "_lines")

    def __init__(self) -> None:
        self._chunk = b""
        self._chunk_start = self._line_start = 0
        self._lines = 0

    def skip(self, blank: bytes) -> None:
        """Pass over bytes the parser does not get."""
        self._chunk_start += len(blank)
        self._line_start = self._chunk_start

    def add(self, chunk: bytes) -> None:
        """Take the next chunk."""
        last = self._chunk.rfind(b"\n")
        if last >= 0:
            self._line_start = self._chunk_start + last + 1
            self._lines += self._chunk.count(b"\n")
        self._chunk_start += len(self._chunk)
        self._chunk = chunk

    def find(self, line: int, column: int) -> int:
        """Give the byte of a position; the start of the chunk for one further back than its first line."""
        if line - 1 < self._lines:
            return self._chunk_start
        start = self._line_start
        place = -1
        for _ in range(line - 1 - self._lines):
            place = self._chunk.find(b"\n", place + 1)
            start = self._chunk_start + place + 1
        return start + column
