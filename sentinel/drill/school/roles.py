"""The hosts a practice school is drawn from, as one table."""

from __future__ import annotations

import random
from collections.abc import Collection

from sentinel.drill.school import device_roles as devices
from sentinel.drill.school import server_roles as servers
from sentinel.drill.school.host import Manner, Role
from sentinel.drill.servers import databases as data
from sentinel.drill.servers import lines as text
from sentinel.drill.servers.conversation import Service

PORTAL = Role("portal", "门户网站", "www", servers.portal, is_dual=True, is_whole=True)
OTHERS = (
    Role("affairs", "教务系统", "jw", servers.affairs, is_whole=True),
    Role("legacy", "旧网站", "old", servers.legacy),
    Role("cache", "缓存服务器", "cache", servers.cache),
    Role("platform", "数据平台", "data", servers.platform),
    Role("mail", "邮件服务器", "mail", servers.post, is_dual=True),
    Role("relay", "邮件中继", "relay", servers.relay),
    Role("library", "图书馆", "lib", servers.library, is_dual=True),
    Role("names", "域名服务器", "ns1", servers.names, is_dual=True),
    Role("resolver", "递归解析服务器", "dns", servers.resolver),
    Role("source", "社团网站", "git", servers.source),
    Role("tampered", "被篡改的网站", "club", servers.tampered),
    Role("personnel", "人事公示", "hr", servers.personnel),
    Role("application", "应用服务器", "app", servers.application),
    Role("console", "运维控制台", "ops", servers.console),
    Role("container", "容器主机", "docker", servers.container),
    Role("middleware", "中间件服务器", "mid", servers.middle),
    Role("enterprise", "旧 Windows 服务器", "win", servers.enterprise),
    Role("store", "文件服务器", "nas", servers.store),
    Role("directory", "目录服务器", "ldap", servers.directory),
    Role("workstation", "旧 Unix 工作站", "unix", servers.workstation),
    Role("proxy", "代理服务器", "proxy", servers.proxy),
    Role("switch", "核心交换机", "sw", devices.switch),
    Role("old-switch", "接入交换机", "sw2", devices.old_switch),
    Role("camera", "校门摄像机", "cam", devices.camera),
    Role("printer", "打印机", "print", devices.printer),
    Role("office", "办公电脑", "pc", devices.office, is_whole=True),
    Role("lab", "物联网实验室", "lab", devices.laboratory),
    Role("phone", "网络电话", "tel", devices.phone),
    Role("management", "服务器管理口", "bmc", devices.management),
    Role("miner", "机房电脑（被植入矿机）", "lab07", devices.miner),
    Role("slow", "过载的服务器", "slow", devices.slow_host),
    Role("resetting", "一连就断的主机", "reset", devices.resetting_host),
)
# Hosts that say little or too much; they join the larger schools.
QUIET = (
    Role("hushed", "接受连接而不出声的主机", "hush", devices.hushed),
    Role("closed", "无开放端口的主机", "closed", devices.nothing),
    Role("silent", "沉默的主机", "quiet", devices.nothing, manner=Manner.SILENT),
    Role("answering", "对所有端口应答的设备", "wall", devices.nothing, manner=Manner.ANSWERS_ALL),
)
QUIET_FROM_SIZE = 10
NEWCOMER = Role("newcomer", "新增测试服务器", "test", devices.newcomer, is_whole=True)
SUCCESSOR = Role("successor", "学生笔记本", "note", devices.successor, is_whole=True)
HANDED = "office"
"""Role whose address goes to somebody else: an ordinary DHCP client."""
MINER = "miner"
"""Role of the hosts that talk to the pool, outside of the school, all the time."""
POOL_PORT = 3333
NEEDED = (HANDED, "affairs")
"""Roles without which some cue has nothing to happen to."""


def newly_opened(taken: Collection[int], draw: random.Random) -> Service:
    """Draw the service that opens on cue, on a port the host does not have."""
    offers = (
        data.redis(6379, "5.0.14", login=False),
        text.telnet(23),
        data.mysql(3306, "5.5.62"),
        text.ftp(21, "3.0.2"),
    )
    return draw.choice([service for service in offers if service.port not in taken])
