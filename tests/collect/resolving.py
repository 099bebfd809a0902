"""A resolver on a loopback address that knows the zones of a test and nothing else."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.zone

RESOLVER = "127.77.21.53"


def _answer(query: dns.message.Message, zones: list[dns.zone.Zone], failing: frozenset[str]) -> dns.message.Message:
    answer = dns.message.make_response(query, recursion_available=True)
    (question,) = query.question
    name = question.name
    if name.to_text(omit_final_dot=True).lower() in failing:
        answer.set_rcode(dns.rcode.SERVFAIL)
        return answer
    for _ in range(8):
        zone = next((one for one in zones if name.is_subdomain(one.origin)), None)
        if zone is None or zone.get_node(name) is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
            return answer
        alias = zone.get_rrset(name, dns.rdatatype.CNAME)
        if alias is None or question.rdtype == dns.rdatatype.CNAME:
            found = zone.get_rrset(name, question.rdtype)
            answer.answer += [found] if found is not None else []
            return answer
        answer.answer.append(alias)
        name = alias[0].target
    return answer


@contextmanager
def resolving(zones: dict[str, str], *failing: str, silent: bool = False) -> Iterator[int]:
    """Resolve from zone texts by origin; what stands in `failing` is answered with a failure."""
    read = [
        dns.zone.from_text(text, origin=f"{name}.", relativize=False, check_origin=False)
        for name, text in zones.items()
    ]

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, line = self.request
            if not silent:
                answer = _answer(dns.message.from_wire(data), read, frozenset(failing))
                line.sendto(answer.to_wire(), self.client_address)

    with socketserver.ThreadingUDPServer((RESOLVER, 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()
