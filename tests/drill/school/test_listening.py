"""What a practice school listens on, by the kernel's own tables: the ports of its plan and no other."""

import pytest

from tests.drill.within import LO_UP, NO_MORE_NAMESPACES, within

LISTENING = """
import json, struct, sys
from ipaddress import ip_address
from pathlib import Path
from sentinel.drill.place.ground import Mode, take_ground
from sentinel.drill.school.plan import plan_school
from sentinel.drill.school.running import start_school

def listening():
    found = set()
    for name in ("tcp", "tcp6", "udp", "udp6"):
        for row in (Path("/proc/net") / name).read_text().splitlines()[1:]:
            local, remote, state = row.split()[1:4]
            text, _, port = local.partition(":")
            if state == ("0A" if name.startswith("tcp") else "07"):
                words = [int(text[at:at + 8], 16) for at in range(0, len(text), 8)]
                address = ip_address(struct.pack(f"={len(words)}I", *words))
                found.add((name[:3], str(address), int(port, 16)))
    return found

ground = take_ground(Mode(sys.argv[1]))
lot = ground.lot(1)
with start_school(lot) as school:
    told = []
    for cue in (None, "change"):
        if cue:
            school.cue(cue)
        planned = {(proto, str(address), port) for proto, address, port in school.plan.places(school.played)}
        seen = listening()
        told.append({"missing": sorted(planned - seen), "others": sorted(seen - planned), "ports": len(planned)})
    print(json.dumps({"pool": str(lot.pool), "told": told}))
"""


@pytest.mark.namespace
@pytest.mark.parametrize(
    ("mode", "prepare", "pool_port"),
    [("user-namespace", LO_UP, 3333), ("loopback", f"{LO_UP}; {NO_MORE_NAMESPACES}", 13333)],
)
def test_school_when_it_stands_then_it_listens_on_its_plan_and_its_pool_and_nothing_else(
    mode: str, prepare: str, pool_port: int
) -> None:
    found = within(LISTENING, mode, prepare=prepare)
    for told in found["told"]:
        assert told["missing"] == []
        assert told["others"] == [["tcp", found["pool"], pool_port]]
        assert told["ports"] > 80
