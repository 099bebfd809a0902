"""Devices and desks of a practice school: a school's draft in, what each of them serves out."""

from __future__ import annotations

from sentinel.drill.school.host import Draft
from sentinel.drill.school.server_roles import SSH_NOW, Servers, new_ssh
from sentinel.drill.servers import consoles, sites
from sentinel.drill.servers import devices as device
from sentinel.drill.servers import lines as text
from sentinel.drill.servers.behaviours import resetting, slow
from sentinel.drill.servers.certificate import CertificateKind
from sentinel.drill.servers.datagrams import ipmi, tftp
from sentinel.drill.servers.gadgets import coap, sip_phone, ssdp
from sentinel.drill.servers.snmp import printer_agent, snmp, snmp_v3, switch_agent

_SLOWNESS_S = 1.0


def switch(draft: Draft) -> Servers:
    """Serve a switch's management, in clear and behind a weak key."""
    weak = draft.certificate(CertificateKind.WEAK_KEY, "sw")
    return (
        text.telnet(23),
        sites.switch_page(80, draft.school),
        sites.switch_page(443, draft.school, weak),
        snmp(161, switch_agent(f"sw.{draft.domain}")),
    )


def old_switch(_draft: Draft) -> Servers:
    """Serve a switch of another maker that asks for a user over SNMP and gives its configuration away."""
    return text.telnet(23, "Huawei"), snmp_v3(161), tftp(69)


def camera(_draft: Draft) -> Servers:
    """Serve a camera's page and video."""
    return sites.camera_page(80), text.rtsp(554), ssdp(1900)


def printer(draft: Draft) -> Servers:
    """Serve a printer's page and print port."""
    return (
        sites.printer_page(80),
        device.print_port(9100, "HP LaserJet P2055dn"),
        snmp(161, printer_agent(f"print.{draft.domain}")),
    )


def office(_draft: Draft) -> Servers:
    """Serve the screen of a desk."""
    return device.vnc(5900), device.rdp(3389)


def laboratory(_draft: Draft) -> Servers:
    """Serve things: messages, a controller, sensors."""
    return device.mqtt(1883), device.modbus(502), coap(5683)


def phone(_draft: Draft) -> Servers:
    """Serve a desk phone: its calls alone."""
    return (sip_phone(5060),)


def management(draft: Draft) -> Servers:
    """Serve the card that manages a server, with eleven days of its certificate left."""
    soon = draft.certificate(CertificateKind.EXPIRING_FORTNIGHT, "bmc")
    return sites.portal(443, draft.school, "1.20.2", soon), ipmi(623)


def miner(_draft: Draft) -> Servers:
    """Serve a machine somebody mines on."""
    return consoles.miner_api(18088), new_ssh(SSH_NOW)


def slow_host(draft: Draft) -> Servers:
    """Serve as a machine at its limits does: every answer a second late."""
    return slow(sites.portal(80, draft.school, "1.20.2"), _SLOWNESS_S), slow(text.ftp(21, "3.0.2"), _SLOWNESS_S)


def resetting_host(_draft: Draft) -> Servers:
    """Accept and cut every connection."""
    return resetting(8000), resetting(9000)


def hushed(_draft: Draft) -> Servers:
    """Accept and say nothing."""
    return (device.silent(9999),)


def nothing(_draft: Draft) -> Servers:
    """Serve nothing."""
    return ()


def newcomer(_draft: Draft) -> Servers:
    """Serve what somebody brought along for a test."""
    return sites.directory_listing(8000, "1.4.59"), new_ssh(SSH_NOW)


def successor(draft: Draft) -> Servers:
    """Serve what a pupil's notebook has on the address a desk had."""
    return sites.login_form(8080, draft.school, "学生作业"), text.ftp(21, "3.0.2")
