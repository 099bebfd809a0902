# ruff: noqa: E501  rows as the systems write them
"""Small logs by the formats' documentation, with where each form comes from beside it; addresses are for examples."""

from __future__ import annotations

from datetime import UTC, datetime

ARRIVED = datetime(2026, 11, 28, 4, 0, tzinfo=UTC)

# Suricata 7 user guide, "EVE JSON Format": the fields of each event, values of our own.
EVE_ROWS = {
    "flow": '''{"timestamp":"2026-11-24T08:30:00.123456+0800","flow_id":1,"event_type":"flow","src_ip":"192.0.2.9","src_port":50000,"dest_ip":"192.0.2.1","dest_port":443,"proto":"TCP","app_proto":"tls","flow":{"pkts_toserver":10,"pkts_toclient":9,"state":"closed","reason":"timeout"},"tcp":{"tcp_flags":"1b","tcp_flags_ts":"1b","tcp_flags_tc":"1b","state":"closed"}}''',
    "alert": '''{"timestamp":"2026-11-24T08:30:01.123456+0800","event_type":"alert","src_ip":"192.0.2.9","dest_ip":"192.0.2.1","proto":"TCP","alert":{"signature":"x"}}''',
    "dns": '''{"timestamp":"2026-11-24T08:30:02.123456+0800","event_type":"dns","src_ip":"192.0.2.53","src_port":53,"dest_ip":"192.0.2.9","dest_port":50001,"proto":"UDP","dns":{"version":2,"type":"answer","rrname":"www.school.example","rrtype":"A","answers":[{"rrname":"www.school.example","rrtype":"A","ttl":60,"rdata":"192.0.2.1"}],"grouped":{"A":["192.0.2.1"]}}}''',
    "tls": '''{"timestamp":"2026-11-24T08:30:03.123456+0800","event_type":"tls","src_ip":"192.0.2.9","src_port":50000,"dest_ip":"192.0.2.1","dest_port":443,"proto":"TCP","tls":{"subject":"CN=www.school.example","issuerdn":"C=CN, O=Example CA, CN=Example R1","fingerprint":"aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd","sni":"www.school.example","version":"TLS 1.2","notbefore":"2026-01-01T00:00:00","notafter":"2027-01-01T00:00:00"}}''',
    "http": '''{"timestamp":"2026-11-24T08:30:04.123456+0800","event_type":"http","src_ip":"192.0.2.9","src_port":50002,"dest_ip":"192.0.2.2","dest_port":8080,"proto":"TCP","http":{"hostname":"oa.school.example","url":"/","http_method":"GET","status":200}}''',
    "ssh": '''{"timestamp":"2026-11-24T08:30:05.123456+0800","event_type":"ssh","src_ip":"192.0.2.9","src_port":50003,"dest_ip":"192.0.2.3","dest_port":22,"proto":"TCP","ssh":{"client":{"software_version":"OpenSSH_9.2"},"server":{"proto_version":"2.0","software_version":"OpenSSH_8.9p1"}}}''',
    "dhcp": '''{"timestamp":"2026-11-24T08:30:06.123456+0800","event_type":"dhcp","src_ip":"192.0.2.254","src_port":67,"dest_ip":"192.0.2.77","dest_port":68,"proto":"UDP","dhcp":{"type":"reply","client_mac":"00:00:5e:00:53:09","assigned_ip":"192.0.2.77","dhcp_type":"ack","lease_time":3600,"hostname":"LAB-09"}}''',
    "fileinfo": '''{"timestamp":"2026-11-24T08:30:07.123456+0800","event_type":"fileinfo","src_ip":"192.0.2.9","dest_ip":"192.0.2.1"}''',
}  # fmt: skip
EVE = "\n".join(EVE_ROWS.values()) + "\n"

# nfdump 1.6.23 and 1.7.3, `nfdump -o csv`: the heads as its source prints them, rows of our own.
NFDUMP_16 = (
    "ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt\n"
    "2026-11-24 08:30:00,2026-11-24 08:30:05,5.000,192.0.2.9,192.0.2.1,50000,443,TCP,...AP.SF,0,0,10,1000,0,0\n"
    "2026-11-24 08:30:00,2026-11-24 08:30:05,5.000,192.0.2.1,192.0.2.9,443,50000,TCP,...AP.SF,0,0,9,5000,0,0\n"
    "2026-11-24 08:30:00,2026-11-24 08:30:00,0.000,192.0.2.9,192.0.2.8,50001,22,TCP,......S.,0,0,3,180,0,0\n"
    "Summary\nflows,bytes,packets,avg_bps,avg_pps,avg_bpp\n3,6180,22,1,1,1\n"
)
NFDUMP_17 = (
    "firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,flows\n"
    "2026-11-24 08:30:00.100,5.000,TCP,192.0.2.9,50000,192.0.2.1,8443,10,1000,1\n"
    "2026-11-24 08:30:00.101,4.999,TCP,192.0.2.1,8443,192.0.2.9,50000,9,5000,1\n"
)

# FreeRADIUS 3.2, rlm_detail: an 802.1X session whose address comes with the first interim record.
DETAIL = """Tue Nov 24 08:30:00 2026
\tAcct-Status-Type = Start
\tAcct-Session-Id = "000001"
\tUser-Name = "s2026001"
\tNAS-IP-Address = 192.0.2.250
\tNAS-Port-Id = "GigabitEthernet1/0/7"
\tCalling-Station-Id = "00-00-5E-00-53-01"
\tTunnel-Private-Group-Id:0 = "120"
\tTimestamp = 1795480200

Tue Nov 24 08:31:00 2026
\tAcct-Status-Type = Interim-Update
\tAcct-Session-Id = "000001"
\tUser-Name = "s2026001"
\tNAS-IP-Address = 192.0.2.250
\tFramed-IP-Address = 192.0.2.1
\tCalling-Station-Id = "00-00-5E-00-53-01"
\tAcct-Session-Time = 60
\tTimestamp = 1795480260

Tue Nov 24 09:30:00 2026
\tAcct-Status-Type = Stop
\tAcct-Session-Id = "000001"
\tUser-Name = "s2026001"
\tNAS-IP-Address = 192.0.2.250
\tFramed-IP-Address = 192.0.2.1
\tAcct-Session-Time = 3600
\tTimestamp = 1795483800

"""

# Public outputs of Huawei VRP, H3C Comware, Cisco IOS and NX-OS: the heads, rows of our own; Ruijie's from memory.
MAC_HUAWEI = """<CORE>display mac-address
-------------------------------------------------------------------------------
MAC Address    VLAN/VSI/BD                       Learned-From        Type
-------------------------------------------------------------------------------
0000-5e00-5301 120/-/-                           GE0/0/7             dynamic
0000-5e00-5304 1/-/-                             GE0/0/9             static
-------------------------------------------------------------------------------
Total items displayed = 2
"""
MAC_HUAWEI_OLD = """-------------------------------------------------------------------------------
MAC Address    VLAN/       PEVLAN CEVLAN Port            Type      LSP/LSR-ID
               VSI/SI                                              MAC-Tunnel
-------------------------------------------------------------------------------
0000-5e00-5301 120         -      -      GE0/0/7         dynamic   0/-
"""
MAC_COMWARE = """<SW-1>display mac-address
MAC Address      VLAN ID    State            Port/Nickname            Aging
0000-5e00-5301   120        Learned          GE1/0/7                  Y
"""
MAC_COMWARE_OLD = """[SW-1]display mac-address
MAC ADDR       VLAN ID   STATE          PORT INDEX               AGING TIME(s)
0000-5e00-5301 120       Learned        GigabitEthernet1/0/7     AGING
"""
MAC_CISCO = """SW1#show mac address-table
          Mac Address Table
-------------------------------------------

Vlan    Mac Address       Type        Ports
----    -----------       --------    -----
 All    0100.0ccc.cccc    STATIC      CPU
 120    0000.5e00.5301    DYNAMIC     Gi1/0/7
Total Mac Addresses for this criterion: 2
"""
MAC_NEXUS = """VLAN     MAC Address      Type      age     Secure NTFY Ports
---------+-----------------+--------+---------+------+----+------------------
* 120     0000.5e00.5301   dynamic  0         F      F    Eth1/7
"""
MAC_RUIJIE = """SW-2#show mac-address-table
Vlan        MAC Address          Type     Interface
----------  -------------------- -------- -------------------
120         0000.5e00.5301       DYNAMIC  GigabitEthernet 0/7
"""

# nuclei 3 `-jsonl`: the fields of its ResultEvent, values of our own.
NUCLEI = (
    '{"template-id":"CVE-2021-41773","info":{"name":"Apache 2.4.49 Path Traversal","severity":"high",'
    '"reference":["https://example.org/CVE-2021-41773"],"classification":{"cve-id":["cve-2021-41773"],'
    '"cvss-score":7.5},"remediation":"Update."},"type":"http","host":"192.0.2.1","port":"8080","scheme":"http",'
    '"matched-at":"http://192.0.2.1:8080/cgi-bin/","ip":"192.0.2.1","timestamp":"2026-11-24T08:30:00.123456789+08:00",'
    '"matcher-status":true}\n'
    '{"template-id":"tech-detect","matcher-name":"nginx","info":{"name":"Wappalyzer","severity":"info"},"type":"http",'
    '"host":"www.school.example","matched-at":"https://www.school.example","ip":"192.0.2.2",'
    '"timestamp":"2026-11-24T08:30:01+08:00","matcher-status":true}\n'
)

# Zeek 6, base/protocols/radius: the fields of radius.log, a row of our own.
RADIUS_LOG = (
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tradius\n"
    "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tusername\tmac\tframed_addr\ttunnel_client\t"
    "connect_info\treply_msg\tresult\tttl\n"
    "1790000000.5\tC1\t192.0.2.250\t1645\t192.0.2.251\t1812\ts2026001\t00:00:5e:00:53:01\t192.0.2.1\t-\t-\t-\t"
    "success\t0.1\n"
    "1790000001.5\tC2\t192.0.2.250\t1645\t192.0.2.251\t1812\ts2026002\t-\t192.0.2.2\t-\t-\t-\tfailed\t0.1\n"
)

# Where each comes from is told in observe/nat_china.py and observe/nat_world.py; the values are of our own.
NAT = {
    "huawei-usg": (
        "<190>2026-11-24 08:31:00 USG6000E %%01SECLOG/6/SESSION_TEARDOWN(l):IPVer=4,Protocol=tcp,SourceIP=10.0.0.5,"
        "DestinationIP=198.51.100.7,SourcePort=40000,DestinationPort=443,SourceNatIP=203.0.113.5,SourceNatPort=40001,"
        "BeginTime=1795480200,EndTime=1795480260,SendPkts=1,SendBytes=74,RcvPkts=1,RcvBytes=120,SourceVpnID=0,"
        "DestinationVpnID=0,SourceZone=trust,DestinationZone=untrust,PolicyName=out,CloseReason=tcp-fin.\n"
    ),
    "h3c-secpath": (
        "<6> Nov 24 08:31:01 2026 FW-1 %%10session/6/SESSION_IPV4_FLOW: Protocol(1001)=TCP;Application(1002)=https;"
        "SrcIPAddr(1003)=10.0.0.5;SrcPort(1004)=40000;NatSrcIPAddr(1005)=203.0.113.5;NatSrcPort(1006)=40001;"
        "DstIPAddr(1007)=198.51.100.7;DstPort(1008)=443;NatDstIPAddr(1009)=198.51.100.7;NatDstPort(1010)=443;"
        "InitPktCount(1044)=1;InitByteCount(1046)=60;BeginTime_e(1013)=11242026003000;EndTime_e(1014)=11242026003100;"
        "Event(1048)=(1)Normal over;\n"
    ),
    "sangfor": (
        "<23>Nov 24 08:30:00 localhost nat: 日志类型:NAT日志, NAT类型:snat, 源IP:10.0.0.5, 源端口:40000, "
        "目的IP:198.51.100.7, 目的端口:443, 协议:6, 转换后的IP:203.0.113.5, 转换后的端口:40001\n"
    ),
    "hillstone": (
        "<190>Nov 24 08:30:00 1304415150000000(root) 46083623 Traffic@FLOW: NAT: 10.0.0.5:40000->198.51.100.7:443(TCP), "
        "snat to 203.0.113.5:40001, vr trust-vr, user -@UNKNOWN, host -, rule 4\n"
    ),
    "topsec": (
        'Nov 24 08:30:00 192.0.2.33 id=tos time="2026-11-24 08:30:00" fw=TopsecOS pri=6 type=conn recorder=FW-NAT '
        "src=10.0.0.5 dst=198.51.100.7 sport=40000 dport=443 proto=tcp trans_src=203.0.113.5 trans_sport=40001 user= \n"
    ),
    "cgn": (
        "<134> 1 2026 November 24 08:30:00 192.0.2.33 cnelog - NAT444:SessionbasedA "
        "[6 10.0.0.5 - 203.0.113.5 40000 40001 -]\n"
    ),
    "h3c-comware5": (
        "%Nov 24 08:31:00:72 2026 FW-0 USERLOG/7/NAT: TCP; 10.0.0.5:40000--->203.0.113.5:40001; 198.51.100.7:443; "
        "[2026/11/24 08:30:00-2026/11/24 08:31:00]; Operator 1: Normal over\n"
    ),
    "fortinet": (
        'date=2026-11-24 time=08:31:00 devname="FG-1" devid="FG0" eventtime=1795480260000000000 tz="+0800" '
        'logid="0000000013" type="traffic" subtype="forward" srcip=10.0.0.5 srcport=40000 dstip=198.51.100.7 '
        'dstport=443 sessionid=77 proto=6 action="close" trandisp="snat" transip=203.0.113.5 transport=40001 '
        "duration=60 sentbyte=10\n"
    ),
    "palo-alto": (
        "<14>Nov 24 08:31:05 PA-1 1,2026/11/24 08:31:05,001801000001,TRAFFIC,end,2562,2026/11/24 08:31:05,10.0.0.5,"
        "198.51.100.7,203.0.113.5,198.51.100.7,out,,,ssl,vsys1,trust,untrust,ethernet1/2,ethernet1/1,fwd,"
        "2026/11/24 08:31:05,4711,1,40000,443,40001,443,0x400053,tcp,allow,1234,600,634,20,2026/11/24 08:30:00,60,any\n"
    ),
    "conntrack": (
        "[1795480200.000000]\t    [NEW] tcp      6 120 SYN_SENT src=10.0.0.5 dst=198.51.100.7 sport=40000 dport=443 "
        "[UNREPLIED] src=198.51.100.7 dst=203.0.113.5 sport=443 dport=40001\n"
        "[1795480201.000000]\t [UPDATE] tcp      6 60 SYN_RECV src=10.0.0.5 dst=198.51.100.7 sport=40000 dport=443 "
        "src=198.51.100.7 dst=203.0.113.5 sport=443 dport=40001\n"
        "[1795480260.000000]\t[DESTROY] tcp      6 src=10.0.0.5 dst=198.51.100.7 sport=40000 dport=443 packets=5 "
        "bytes=300 src=198.51.100.7 dst=203.0.113.5 sport=443 dport=40001 packets=4 bytes=200 [ASSURED]\n"
    ),
    "ulogd": (
        "Nov 24 08:30:00 gw ulogd[411]: [NEW] ORIG: SRC=10.0.0.5 DST=198.51.100.7 PROTO=TCP SPT=40000 DPT=443 PKTS=0 "
        "BYTES=0 , REPLY: SRC=198.51.100.7 DST=203.0.113.5 PROTO=TCP SPT=443 DPT=40001 PKTS=0 BYTES=0\n"
        "Nov 24 08:31:00 gw ulogd[411]: [DESTROY] ORIG: SRC=10.0.0.5 DST=198.51.100.7 PROTO=TCP SPT=40000 DPT=443 "
        "PKTS=5 BYTES=300 , REPLY: SRC=198.51.100.7 DST=203.0.113.5 PROTO=TCP SPT=443 DPT=40001 PKTS=4 BYTES=200\n"
    ),
    "cisco-asa": (
        "<166>Nov 24 2026 08:30:00 asa-1 : %ASA-6-302013: Built outbound TCP connection 123 for "
        "outside:198.51.100.7/443 (198.51.100.7/443) to inside:10.0.0.5/40000 (203.0.113.5/40001)\n"
        "<166>Nov 24 2026 08:31:00 asa-1 : %ASA-6-302014: Teardown TCP connection 123 for outside:198.51.100.7/443 to "
        "inside:10.0.0.5/40000 duration 0:01:00 bytes 1234 TCP FINs\n"
    ),
}

REGEX_MAPPING = """
name = "示例网关"
kind = "translation"
format = "regex"
pattern = '(?P<time>\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d) (?P<word>open|close) (?P<proto>\\w+) (?P<inside>[\\d.]+):(?P<inside_port>\\d+) as (?P<outside>[\\d.]+):(?P<outside_port>\\d+) ok$'
device = "gw-1"
[fields]
event = "word"
[events]
begin = ["open"]
end = ["close"]
"""
REGEX_LOG = (
    "2026-11-24 08:30:00 open tcp 10.0.0.5:40000 as 203.0.113.5:40001 ok\n"
    "2026-11-24 08:30:30 hello\n"
    "2026-11-24 08:31:00 close tcp 10.0.0.5:40000 as 203.0.113.5:40001 ok\n"
)

ACCOUNTING_MAPPING = """
name = "示例上网认证"
kind = "holding"
source = "portal"
time = "%Y/%m/%d %H:%M"
[fields]
session = "会话"
event = "动作"
user = "账号"
address = "IP"
mac = "MAC"
time = "时间"
port = "接入点"
[events]
begin = ["上线"]
update = ["更新"]
end = ["下线", "踢下线"]
"""
ACCOUNTING_LOG = (
    "会话,动作,账号,IP,MAC,时间,接入点\n"
    "7,上线,s2026001,192.0.2.1,0000-5e00-5301,2026/11/24 08:30,AP-1\n"
    "7,更新,s2026001,192.0.2.2,0000-5e00-5301,2026/11/24 08:40,\n"
    "7,踢下线,s2026001,192.0.2.2,0000-5e00-5301,2026/11/24 09:30,\n"
)
