"""An open endpoint in, what it is used for out: the columns of the grid, from the name of the protocol and product."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sentinel.model.endpoint import Endpoint
from sentinel.report.hosts import service_name
from sentinel.report.values import Text


class Use(StrEnum):
    """What endpoints are for, in the order of the grid's columns."""

    WEB = "web"
    REMOTE = "remote"
    DATABASE = "database"
    FILES = "files"
    PRINT = "print"
    CAMERA = "camera"
    MAIL = "mail"
    NAMES = "names"
    MIDDLEWARE = "middleware"
    NETWORK = "network"
    MINING = "mining"
    OTHER = "other"
    UNKNOWN = "unknown"


USE_WORDS: Final[dict[Use, Text]] = {
    Use.WEB: Text("网站", "Web"),
    Use.REMOTE: Text("远程管理", "Remote admin"),
    Use.DATABASE: Text("数据库", "Databases"),
    Use.FILES: Text("文件共享", "File sharing"),
    Use.PRINT: Text("打印", "Printing"),
    Use.CAMERA: Text("摄像头", "Cameras"),
    Use.MAIL: Text("邮件", "Mail"),
    Use.NAMES: Text("DNS", "DNS"),
    Use.MIDDLEWARE: Text("中间件", "Middleware"),
    Use.NETWORK: Text("网络管理", "Network"),
    Use.MINING: Text("挖矿", "Mining"),
    Use.OTHER: Text("其他", "Other"),
    Use.UNKNOWN: Text("未识别", "Not identified"),
}

USE_HEADS: Final[dict[Use, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    Use.WEB: (("网站",), ("Web",)),
    Use.REMOTE: (("远程", "管理"), ("Re-", "mote")),
    Use.DATABASE: (("数据", "库"), ("Data-", "base")),
    Use.FILES: (("文件", "共享"), ("Files",)),
    Use.PRINT: (("打印",), ("Print",)),
    Use.CAMERA: (("摄像", "头"), ("Cam-", "era")),
    Use.MAIL: (("邮件",), ("Mail",)),
    Use.NAMES: (("DNS",), ("DNS",)),
    Use.MIDDLEWARE: (("中间", "件"), ("Mid-", "dle")),
    Use.NETWORK: (("网络", "管理"), ("Net-", "work")),
    Use.MINING: (("挖矿", "(台)"), ("Mine", "hosts")),
    Use.OTHER: (("其他",), ("Other",)),
    Use.UNKNOWN: (("未识", "别"), ("Not", "told")),
}
"""Heads of narrow columns, Chinese and English, by lines of at most five Latin letters or two characters."""

_SERVICES: Final[dict[Use, str]] = {
    Use.WEB: "http https http-proxy http-alt https-alt http-wmap http-rpc-epmap websocket caldav webdav",
    Use.REMOTE: "ssh telnet telnets ms-wbt-server rdp vnc vnc-http vnc-1 vnc-2 x11 login shell exec wsman wsmans winrm "
    "radmin teamviewer anydesk pcanywheredata xdmcp ipmi asf-rmcp nomachine nxproxy adb freeciv",
    Use.DATABASE: "mysql mysqlx mariadb ms-sql-s ms-sql-m ms-sql oracle oracle-tns postgresql mongodb mongod couchdb "
    "cassandra db2 ibm-db2 sybase informix firebird gds_db dm kingbase oceanbase tidb clickhouse hbase neo4j influxdb",
    Use.FILES: "microsoft-ds netbios-ssn netbios-ns netbios-dgm smb nfs nfs_acl mountd ftp ftps ftp-data tftp rsync "
    "afp iscsi glusterd sftp svn svnserve git",
    Use.PRINT: "jetdirect ipp ipps printer lpd hp-pjl pdl-datastream hp-status",
    Use.CAMERA: "rtsp rtsps rtsp-alt onvif dahua-dvr dahua hikvision hikvision-ivms rtmp sip-camera dvr",
    Use.MAIL: "smtp smtps submission imap imaps pop3 pop3s lmtp managesieve sieve",
    Use.NAMES: "domain domain-s dns mdns zeroconf llmnr",
    Use.MIDDLEWARE: "redis memcached memcache amqp amqps mqtt secure-mqtt kafka zookeeper elasticsearch ajp13 ajp "
    "java-rmi rmiregistry weblogic-t3 t3 iiop activemq stomp rocketmq rabbitmq epmd etcd docker kubernetes consul "
    "nacos dubbo java-object jdwp fastcgi hadoop-ipc spark solr",
    Use.NETWORK: "snmp snmptrap ntp dhcp dhcps dhcpc syslog ldap ldaps ldapssl kerberos kerberos-sec kpasswd kpasswd5 "
    "radius tacacs bgp isakmp ike pptp l2tp openvpn msrpc rpcbind upnp ssdp sip nrpe zabbix-agent zabbix "
    "zabbix-trapper netconf cwmp globalcatLDAP globalcatLDAPssl http-rpc-epmap epmap ncacn_http",
    Use.MINING: "stratum stratum-tcp stratum-ssl bitcoin bitcoin-rpc ethereum monero monerod xmrig getwork",
}
_BY_SERVICE: Final = {name: use for use, names in _SERVICES.items() for name in names.split()}
_CAMERA_WORDS: Final = (
    "hikvision",
    "dahua",
    "uniview",
    "ip camera",
    "ipcam",
    "webcam",
    "netcam",
    "dvr",
    "nvr",
    "网络摄像机",
)
_PRINTER_WORDS: Final = ("printer", "jetdirect", "laserjet", "officejet", "打印机")
_WEB_SERVICES: Final = frozenset(_SERVICES[Use.WEB].split())


def use_of(endpoint: Endpoint) -> Use:
    """Tell what an endpoint is for; a camera or printer is one on its web page too, when the product says so."""
    service = service_name(endpoint)
    if service in {"", "tcpwrapped", "unknown"}:
        return Use.UNKNOWN
    if service in _WEB_SERVICES:
        product = endpoint.fingerprint.product.lower()
        if product and any(word in product for word in _CAMERA_WORDS):
            return Use.CAMERA
        if product and any(word in product for word in _PRINTER_WORDS):
            return Use.PRINT
    return _BY_SERVICE.get(service, Use.OTHER)
