"""A stream of XML bytes in, the wanted elements out, wherever in the document they stand, in memory for one of them.

`xml_stream` does this for the children of nmap's root element, faster; reports of vulnerability scanners hold theirs
one or more levels deeper.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO
from xml.etree.ElementTree import Element, XMLPullParser  # entities are refused by Prolog
from xml.etree.ElementTree import ParseError as BrokenXml
from xml.parsers import expat

from sentinel.errors import ParseError
from sentinel.observe.text import cut_text
from sentinel.observe.xml_stream import CHUNK, MAX_CHILD, MAX_DEPTH, MAX_ELEMENTS, Prolog


class XmlElements:
    """Reads a document whose root is one of `roots`; `wanted` are pairs of a parent's tag and an element's tag.

    Attributes:
        fault: why the document ended early, or nothing.
        fault_byte: near where, counted from the start of the stream.
        is_closed: the end tag of the root was read.
    """

    def __init__(self, stream: BinaryIO, roots: frozenset[str], wanted: frozenset[tuple[str, str]]) -> None:
        self._stream, self._roots, self._wanted = stream, roots, wanted
        self._prolog: Prolog | None = Prolog()
        self._stack: list[Element] = []
        self._held = self._count = self._fed = self._moved = 0
        self.fault = ""
        self.fault_byte = 0
        self.is_closed = False

    def elements(self) -> Iterator[Element]:
        """Yield the whole wanted elements in order; ends early, with `fault` set, where the document breaks.

        Raises:
            ParseError: it declares entities or an outer document, or has another root.
        """
        parser: XMLPullParser[Element] = XMLPullParser(("start", "end"))  # see Prolog
        chunk = self._first_chunk()
        while chunk and not self.fault:
            if self._prolog and self._prolog.is_over(chunk, self._fed):
                self._prolog = None
            self._fed += len(chunk)
            parser.feed(chunk)
            yield from self._events(parser)
            self._check_growth()
            chunk = self._stream.read(CHUNK)
        if not self.fault and not self.is_closed:
            self._stop("the file ends too early")

    def _first_chunk(self) -> bytes:
        """Skip the blanks before the declaration, which expat does not allow."""
        chunk = self._stream.read(CHUNK)
        while chunk:
            text = chunk.lstrip(b" \t\r\n")
            self._fed += len(chunk) - len(text)
            if text:
                return text
            chunk = self._stream.read(CHUNK)
        return b""

    def _events(self, parser: XMLPullParser[Element]) -> Iterator[Element]:
        try:
            for event in parser.read_events():
                kind, element = event[0], event[-1]
                if not isinstance(element, Element):
                    continue
                if kind == "start":
                    self._start(element)
                elif self._end(element):
                    yield element
                    element.clear()
                if self.fault:
                    return
        except BrokenXml as error:
            self._stop(expat.ErrorString(error.code) or "not well-formed")

    def _start(self, element: Element) -> None:
        if not self._stack and element.tag not in self._roots:
            expected = "> or <".join(sorted(self._roots))
            raise ParseError(f"the root element is <{cut_text(element.tag, 80)}>, not <{expected}>")
        self._stack.append(element)
        self._count += 1
        if not self._held and len(self._stack) > 1 and (self._stack[-2].tag, element.tag) in self._wanted:
            self._held, self._count = len(self._stack), 0
        if len(self._stack) > MAX_DEPTH:
            self._stop(f"elements more than {MAX_DEPTH} deep")
        elif self._held and self._count > MAX_ELEMENTS:
            self._stop(f"more than {MAX_ELEMENTS} elements in one")

    def _end(self, element: Element) -> bool:
        """Leave an element; tells whether it is a wanted one. What is outside the wanted ones is dropped at once."""
        depth = len(self._stack)
        self._stack.pop()
        if self._held and depth > self._held:
            return False
        is_wanted, self._held = bool(self._held), 0
        self._moved = self._fed
        if self._stack:
            self._stack[-1].remove(element)
        else:
            self.is_closed = True
        return is_wanted

    def _check_growth(self) -> None:
        if not self.fault and self._fed - self._moved > MAX_CHILD:
            self._stop(f"an element of more than {MAX_CHILD} bytes")

    def _stop(self, reason: str) -> None:
        self.fault, self.fault_byte = reason, self._fed
