"""The sentences views are worded with: (Chinese, English) by key, with the places for numbers and names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    # single words
    "none": ("无", "none"),
    "not_checked": ("未核查", "not checked"),
    "covered": ("已核查", "checked"),
    "identified": ("应答中识别", "named by its answer"),
    "guessed": ("仅按端口号推测", "guessed from the port"),
    "count": ("{n}", "{n}"),
    "count_overdue": ("{n}（逾期 {overdue}）", "{n} (overdue {overdue})"),
    "part_of": ("{part} / {whole}", "{part} / {whole}"),
    "part_of_addresses": ("已核查地址 {part} / {whole}", "addresses checked {part} / {whole}"),
    "note_prefixes": ("申报网段 {n} 个", "prefixes declared: {n}"),
    "minutes": ("{n} 分钟", "{n} min"),
    "seconds": ("{n} 秒", "{n} s"),
    "no_range": ("未申报地址范围", "no range declared"),
    "logs_only": ("（仅看日志）", "(logs only)"),
    "zone_unknown": ("区域未填", "zone not given"),
    "run_scan": ("扫描", "scan"),
    "run_import": ("导入", "import"),
    "services_rest": ("其余 {n} 种", "{n} others"),
    "all_clauses": ("全部条款", "all clauses"),
    # key figures
    "key_hosts": ("在网主机", "Hosts with open ports"),
    "key_endpoints": ("开放端口（服务）", "Open ports (services)"),
    "key_urgent": ("严重和高危隐患", "Critical and high findings"),
    "key_overdue": ("逾期未整改", "Overdue findings"),
    "key_mining": ("挖矿行为主机", "Hosts mining"),
    "key_suspect": ("疑似挖矿主机", "Hosts suspected"),
    "key_node_name": ("节点和域名线索", "Nodes and names"),
    "key_captures": ("已分析抓包文件", "Captures analysed"),
    "key_coverage": ("地址覆盖率", "Address coverage"),
    "key_clauses": ("适用条款", "Clauses that apply"),
    "key_reported": ("已上报单位", "Units that reported"),
    "note_quiet": ("另有 {n} 台见到但无开放端口", "seen without open port: {n}"),
    "note_silent": ("{n} 台不再应答，状态未知", "no longer answering, unknown: {n}"),
    "note_no_changes": ("本期无变化记录", "no change recorded in the period"),
    "note_new": ("▲ 新增 {n}", "▲ new {n}"),
    "note_gone": ("▼ 消失 {n}", "▼ gone {n}"),
    "note_changed": ("变更 {n}", "changed {n}"),
    "note_unknown": ("转未核查 {n}", "turned unknown {n}"),
    "note_unanswered": ("没有新鲜证据，不能下结论", "no fresh evidence, no statement"),
    "note_findings": (
        "待处理 {live}，新发现 {fresh}，关闭 {closed}",
        "live {live}, new {fresh}, closed {closed}",
    ),
    "note_overdue": ("超过整改期限", "past the deadline"),
    "note_captures": ("分析抓包 {n} 个", "captures analysed: {n}"),
    "note_captures_limit": ("未抓到的链路视为未核查", "links not captured stay unchecked"),
    "note_suspect": ("疑似 {n} 台", "suspected: {n}"),
    "note_suspect_review": ("需人工复核", "for a person to review"),
    "note_coins": ("币种 {coins}", "coins {coins}"),
    "note_proven_payload": ("以报文内容证实", "proven by payload"),
    "note_node_name": ("节点 {node}，仅域名 {name}", "nodes {node}, names {name}"),
    "note_sections": ("目录和对象 {n} 个合计", "sum over {n} catalogues and objects"),
    "note_excluded": ("另有不适用 {n} 条", "not applicable: {n}"),
    "note_partial": ("另有部分存在问题 {n} 条", "partly: {n}"),
    "note_proven": ("工具取证 {tool}，人工举证 {attested}", "by tools {tool}, attested {attested}"),
    "note_reported": ("应报 {whole}，从未上报 {silent}", "of {whole}, never reported {silent}"),
    "note_units_reported": ("已上报单位合计", "sum over units that reported"),
    "note_live": ("全部待处理隐患 {n}", "all live findings: {n}"),
    "note_looked": ("{part} / {whole} 个单位分析过流量", "units with traffic analysed: {part} / {whole}"),
    # states of clauses
    "state_problem": ("已证实问题", "proven problem"),
    "state_partial": ("部分存在问题", "partly a problem"),
    "state_proven": ("已举证", "evidence given"),
    "state_unknown": ("未核查", "not checked"),
    "state_excluded": ("不适用", "not applicable"),
    # axes
    "axis_findings": ("隐患数（个）", "findings"),
    "axis_endpoints": ("开放端口数（个）", "open ports"),
    "axis_certificates": ("证书数（张）", "certificates"),
    "axis_share": ("占申报地址的百分比", "percent of the addresses declared"),
    "axis_clauses": ("条款数（条）", "clauses"),
    "axis_hosts": ("主机数（台）", "hosts"),
    "axis_time": ("北京时间", "time in Asia/Shanghai"),
    # areas of the curve
    "area_partial": ("部分未核查", "partly not checked"),
    "area_unknown": ("未核查", "not checked"),
    "area_logs": ("仅看日志", "logs only"),
    # ages and validity
    "age_week": ("7 天内", "up to 7 days"),
    "age_month": ("8 至 30 天", "8 to 30 days"),
    "age_quarter": ("31 至 90 天", "31 to 90 days"),
    "age_older": ("90 天以上", "over 90 days"),
    "certificate_expired": ("已过期", "expired"),
    "certificate_soon": ("30 天内到期", "within 30 days"),
    "certificate_later": ("31 至 90 天到期", "31 to 90 days"),
    "certificate_fine": ("90 天以后到期", "over 90 days"),
    "certificate_unknown": ("未取到有效期", "validity not seen"),
    "fault_expired": ("已过期", "expired"),
    "fault_soon": ("30 天内到期", "expires within 30 days"),
    "fault_early": ("尚未生效", "not yet valid"),
    "fault_self_signed": ("自签名", "self-signed"),
    "fault_weak_key": ("密钥过短", "short key"),
    "fault_weak_signature": ("签名算法过时", "weak signature"),
    # what pictures say
    "alt_not_looked": ("未核查：没有扫描，也没有导入结果", "not checked: nothing was scanned or imported"),
    "alt_severity": (
        "按等级统计的待处理隐患：严重 {critical}，高危 {high}，中危 {medium}，低危 {low}，提示 {informational}",
        "live findings by severity: critical {critical}, high {high}, medium {medium}, low {low}, note {informational}",
    ),
    "alt_age": (
        "隐患存在时间：7 天内 {age_week}，8 至 30 天 {age_month}，31 至 90 天 {age_quarter}，更久 {age_older}",
        (
            "age of live findings: up to 7 days {age_week}, 8 to 30 days {age_month}, 31 to 90 days {age_quarter}, "
            "over 90 days {age_older}"
        ),
    ),
    "alt_services": ("开放服务共 {n} 个端口，最多的是{first}", "{n} open ports by service, most of them {first}"),
    "alt_certificates": (
        (
            "证书 {n} 张：过期 {certificate_expired}，30 天内到期 {certificate_soon}，90 天内到期 {certificate_later}，"
            "90 天以后到期 {certificate_fine}，未取到有效期 {certificate_unknown}"
        ),
        (
            "{n} certificates: expired {certificate_expired}, within 30 days {certificate_soon}, 31 to 90 days "
            "{certificate_later}, later {certificate_fine}, validity not seen {certificate_unknown}"
        ),
    ),
    "alt_changes": (
        "开放端口的变化：新增 {new}，消失 {gone}，变更 {changed}，新纳入扫描 {newly_covered}，转为未核查 {unknown}",
        (
            "changes of open ports: new {new}, gone {gone}, changed {changed}, newly covered {newly_covered}, "
            "turned unknown {unknown}"
        ),
    ),
    "alt_coverage": (
        "各网段的核查覆盖：共核查 {part} / {whole} 个地址，其余未核查",
        "coverage: {part} of {whole} addresses checked, the rest is not checked",
    ),
    "alt_map": (
        "资产地图：{networks} 个网段，{hosts} 台有开放端口的主机，最严重隐患为严重的 {critical} 台、高危的 {high} 台",
        (
            "asset map: {networks} networks, {hosts} hosts with open ports; worst finding critical on {critical}, high "
            " on {high}"
        ),
    ),
    "alt_clauses": (
        "各安全域的条款：已证实问题 {problem}，部分存在问题 {partial}，已举证 {proven}，未核查 {unknown}",
        "clauses by domain: proven problem {problem}, partly {partial}, evidence given {proven}, not checked {unknown}",
    ),
    "alt_mining": (
        "按判定分类的主机：挖矿行为 {mining}，疑似挖矿 {suspect}，区块链节点 {node}，仅域名命中 {name}",
        "hosts by verdict: mining {mining}, suspect {suspect}, node {node}, name only {name}",
    ),
    "alt_spans": ("各主机挖矿和疑似连接的首末时间", "first to last packet of mining and suspected flows, by host"),
    "alt_units": (
        "{units} 个下级单位共有严重和高危隐患 {n} 个",
        "{n} critical and high findings in {units} units below",
    ),
    # what to do first
    "step_handle": ("处理：{title}", "Handle: {title}"),
    "step_first_scan": (
        "登记网段、办理扫描授权并完成首次扫描或导入",
        "Declare networks, get authorisation, scan or import",
    ),
    "step_check": ("评判已有的结果：sentinel check", "Judge what has arrived: sentinel check"),
    "step_scan_rest": ("补扫尚未核查的地址", "Scan the addresses not yet checked"),
    "step_declare": ("登记本单位的网段和地址范围", "Declare the networks and address ranges of the unit"),
    "step_capture": ("在出口或核心交换机镜像口取得流量并分析", "Capture traffic at the uplink or core and analyse it"),
    "step_whitelist": ("建立端口和域名白名单", "Set up the whitelist of ports and domains"),
    "step_catalogue": ("选择目录并完成一次核查", "Choose a catalogue and run the check"),
    "step_evidence": ("补充扫描证据，回答可自动核查的条款", "Bring scan evidence for the clauses a machine can judge"),
    "step_attest": ("组织责任部门填报并上传举证材料", "Have those in charge answer and hand in their proof"),
    "step_isolate": ("断网隔离并保全内存、磁盘和日志", "Cut off the hosts and keep memory, disks and logs"),
    "step_attribute": (
        "核实使用人和成因，人工认定主动型或被动型",
        "Find user and cause; a person decides active or passive",
    ),
    "step_block": ("在出口封堵矿池地址和端口", "Block the pool addresses and ports at the uplink"),
    "step_suspect": ("人工复核疑似主机", "Review the suspected hosts"),
    "step_names": ("核对区块链节点和域名命中的用途", "Ask what the nodes and names are for"),
    "cause_isolate": ("报文内容证实正在挖矿", "mining proven by payload"),
    "cause_attribute": ("性质未认定前一律为待定", "the nature stays pending until then"),
    "cause_block": ("挖矿主机连接的对端", "far ends of mining hosts"),
    "cause_suspect": ("有挖矿迹象，证据不足以证实", "signs of mining, not enough to prove it"),
    "cause_names": ("不等于挖矿，教学和科研可能合法使用", "not mining by itself, teaching may use it"),
    "gap_never": ("没有任何扫描或导入结果", "nothing was ever scanned or imported"),
    "gap_unjudged": ("{n} 次扫描或导入的结果没有评判过", "results no rule was applied to: {n}"),
    "gap_addresses": ("{n} 个申报地址未核查", "{n} declared addresses were not checked"),
    "gap_undeclared": ("未申报地址范围，覆盖率无法计算", "without ranges there is no coverage"),
    "gap_captures": ("本期没有分析流量，挖矿情况未知", "no traffic was analysed, mining is unknown"),
    "gap_whitelist": ("没有白名单，无法判断端口是否经过批准", "without it no port can be called approved"),
    "gap_catalogue": ("没有任何条款判定", "there is no verdict on any clause"),
    "gap_evidence": ("{n} 条可自动核查的条款缺少新鲜证据", "{n} clauses lack fresh evidence"),
    "gap_attest": ("{n} 条需要人工举证", "{n} clauses need the word of a person"),
    "centre_mining": ("督办挖矿单位：断网、封堵、定性", "Urge the units that mine: cut off, block, decide"),
    "centre_mining_cause": ("{n} 个单位有证实的挖矿行为", "{n} units with proven mining"),
    "centre_overdue": ("催办逾期整改", "Urge overdue rectification"),
    "centre_overdue_cause": ("{n} 个单位有逾期隐患", "{n} units with overdue findings"),
    "centre_critical": ("通报严重隐患并要求限期整改", "Send notices on critical findings"),
    "centre_critical_cause": ("{n} 个单位有严重隐患", "{n} units with critical findings"),
    "centre_silent": ("联系从未上报的单位", "Call the units that never reported"),
    "centre_silent_cause": (
        "{n} 个单位没有任何数据，不能视为正常",
        "{n} units without data; that is not a clean state",
    ),
    "centre_unlooked": ("安排流量采集", "Arrange for traffic captures"),
    "centre_unlooked_cause": ("{n} 个单位从未分析流量", "{n} units never had traffic analysed"),
    # standing of units
    "reason_mining": ("挖矿行为 {n} 台", "mining hosts: {n}"),
    "reason_overdue": ("逾期 {n} 个", "overdue: {n}"),
    "reason_findings": ("{severity} {n} 个", "{severity}: {n}"),
    "reason_suspect": ("疑似挖矿 {n} 台", "suspected mining: {n}"),
    "reason_unjudged": ("{n} 次结果没有评判过", "results no rule was applied to: {n}"),
    "reason_incomplete": ("未发现隐患，但核查不完整", "nothing found, check incomplete"),
    "reason_none": ("核查完整，无待处理隐患", "checked in full, nothing live"),
    "reason_silent": ("从未上报", "never reported"),
    # what is not known
    "unknown_never": ("本单位从未扫描或导入，除登记信息外一切未知。", "Nothing was ever scanned or imported."),
    "unknown_unjudged": ("{n} 次结果没有评判过，其中有无隐患未知。", "Results no rule was applied to yet: {n}."),
    "unknown_undeclared": (
        "没有申报地址范围，无法计算覆盖率。",
        "No address range is declared, so coverage cannot be told.",
    ),
    "unknown_addresses": (
        "申报网段中主机可用的 {whole} 个地址，有 {n} 个本期没有核查，其上有无主机和隐患未知。",
        "{n} of {whole} declared addresses were not checked in the period; what is on them is unknown.",
    ),
    "unknown_logs": (
        "网段 {names} 只允许看日志，不做扫描（共 {n} 个网段）。",
        "Networks {names} allow logs only and are not scanned (networks: {n}).",
    ),
    "unknown_silent": (
        "{n} 台主机不再应答，其端口和隐患状态未知，不等于已整改。",
        "{n} hosts no longer answer; their state is unknown, which does not mean fixed.",
    ),
    "unknown_services": (
        "{whole} 个开放端口中有 {n} 个的服务名只按端口号推测或未识别。",
        "The service of {n} of {whole} open ports is guessed from the port number or not identified.",
    ),
    "unknown_outside": (
        "{n} 个地址不在申报范围内，归入默认网段。",
        "{n} addresses lie outside the declared ranges and are kept in the default network.",
    ),
    "unknown_mining": (
        "本期没有分析抓包文件，有无挖矿行为未知。",
        "No capture was analysed in the period; whether there is mining is unknown.",
    ),
    "unknown_whitelist": (
        "没有生效的白名单，端口是否经过批准未知。",
        "No whitelist is in force; whether a port is approved is unknown.",
    ),
    "unknown_times": (
        "{n} 份结果的时间缺失或不可信，按收到时间排列。",
        "{n} results have no usable time and are ordered by arrival.",
    ),
    "unknown_always": (
        "扫描只能看到探测位置可达、扫描当时开启的主机和端口；不猜测口令，不做渗透测试。",
        (
            "A scan sees only what its vantage can reach and what was on at that time; no password is guessed, "
            "nothing is exploited."
        ),
    ),
    "unknown_no_units": ("没有任何应报单位。", "There is no unit that should report."),
    "unknown_silent_units": (
        "{n} 个单位从未上报，不进入任何合计，也不能视为正常。",
        "{n} units never reported; they enter no sum and are not a clean state.",
    ),
    "unknown_unlooked": (
        "{n} 个已上报单位没有分析流量，有无挖矿行为未知。",
        "{n} units that reported had no traffic analysed; whether they mine is unknown.",
    ),
    "unknown_partly": (
        "{n} 个已上报单位的申报地址没有全部核查。",
        "{n} units that reported were not checked over all declared addresses.",
    ),
    "unknown_undeclared_units": (
        "{n} 个已上报单位没有申报地址范围，覆盖率无法计算。",
        "{n} units that reported have no declared range, so coverage cannot be told.",
    ),
    "unknown_lists": (
        "{n} 个已上报单位没有白名单，未登记端口数未知。",
        "{n} units that reported have no whitelist, so ports not on it cannot be counted.",
    ),
    "unknown_no_score": (
        "排列只表示先处理谁，不是评分；隐患多也可能是核查得更全。",
        "The order says whom to help first and is no score; many findings may come from looking better.",
    ),
    # brief: the register against what was seen
    "key_registered": ("登记（条）", "Registered (lines)"),
    "key_seen": ("发现（台）", "Seen (hosts)"),
    "key_unregistered": ("未登记（台）", "Unregistered (hosts)"),
    "key_unchecked": ("未核查的登记（条）", "Lines not checked"),
    "key_exposed": ("互联网暴露面（端口）", "Exposed to the internet (ports)"),
    "note_registered": ("已发现 {seen}，登记未发现 {unseen}", "seen {seen}, registered and not seen {unseen}"),
    "note_hosts_listed": ("已登记 {n} 台", "registered {n}"),
    "note_hosts_expired": ("登记已到期 {n} 台", "registration expired {n}"),
    "note_not_compared": ("没有资产台账可比对", "no register to compare with"),
    "note_ports_unlisted": ("另有 {n} 个端口不在登记内", "ports beyond the register: {n}"),
    "note_ports_listed": ("已登记主机的端口均在登记内", "ports of registered hosts are all listed"),
    "note_addresses_left": ("申报地址未核查 {n} / {whole}", "addresses not checked {n} / {whole}"),
    "note_exposed_hosts": ("{n} 台主机，隐患未核查", "hosts: {n}; findings not checked"),
    "note_exposed": (
        "{hosts} 台主机，有严重或高危隐患 {bad} 台",
        "{hosts} hosts, with critical or high findings {bad}",
    ),
    "note_live_overdue": ("待处理 {live}，逾期 {overdue}", "live {live}, overdue {overdue}"),
    "standing_seen": ("登记且发现", "registered and seen"),
    "standing_expired_but_seen": ("登记到期仍在用", "expired but seen"),
    "standing_registered_not_seen": ("登记未发现", "registered, not seen"),
    "standing_expired_not_seen": ("登记到期且未见", "expired, not seen"),
    "standing_unregistered": ("未登记", "unregistered"),
    "standing_not_checked": ("未核查", "not checked"),
    "reason_port_open": ("登记的端口开放", "a registered port is open"),
    "reason_host_seen": ("主机在线", "the host was seen"),
    "reason_nothing_answered": ("扫描已完成，无应答", "a finished scan got no answer"),
    "reason_ports_shut": ("主机在线，登记的端口未开放", "the host answers, the registered ports are shut"),
    "reason_not_covered": ("没有扫描覆盖该地址", "no scan covered the address"),
    "reason_ports_not_covered": ("主机在线，没有扫描覆盖该端口", "the host answers, no scan covered the port"),
    "reason_answers_everything": ("主机对任何端口都应答，无法判断", "the host answers on every port"),
    "reason_name_not_resolved": ("只登记了域名，地址未知", "only a name, its address is not known"),
    "reason_no_place": ("没有登记地址和域名", "neither address nor name"),
    "not_compared": ("未比对", "not compared"),
    "no_department": ("未填责任部门", "no department given"),
    "rest_of": ("其余 {n} 个", "{n} others"),
    "axis_lines": ("登记（条）", "lines of the register"),
    "alt_register": (
        "登记 {lines} 条：登记且发现 {seen}，登记未发现 {unseen}，未核查 {unchecked}",
        "{lines} lines: registered and seen {seen}, not seen {unseen}, not checked {unchecked}",
    ),
    "alt_hosts_standing": (
        "发现主机 {hosts} 台：已登记 {registered}，未登记 {unregistered}",
        "{hosts} hosts seen: registered {registered}, unregistered {unregistered}",
    ),
    "mark_gap": ("待补", "gap"),
    "cause_outside": ("互联网可达 {n} 个", "reachable from the internet: {n}"),
    "cause_unregistered": ("在网但不在资产台账中", "on the network, not in the register"),
    "cause_authorisation": ("扫描授权 30 天内到期", "the authorisation to scan ends within 30 days"),
    "cause_authorisation_over": ("扫描授权已到期", "the authorisation to scan has ended"),
    "cause_no_register": ("尚未导入资产台账", "no register was imported"),
    "cause_no_outside": ("没有校外扫描结果", "nobody looked from outside"),
    "cause_expired_lines": ("登记到期，仍在使用", "expired in the register, still in use"),
    "cause_no_contact": (
        "没有登记网络安全联系人，通报和应急时找不到人",
        "no contact for security is named; in an emergency nobody can be reached",
    ),
    "step_register": (
        "查明未登记主机的用途和责任部门，补登记或下线。",
        "Find out whose these hosts are; register or retire.",
    ),
    "step_authorise": (
        "办理新的扫描授权，到期后不能探测。",
        "Get a new authorisation; without it nothing may be scanned.",
    ),
    "step_import_register": (
        "导入资产台账：sentinel register import 台账.xlsx",
        "Import the register: sentinel register import FILE",
    ),
    "step_import_outside": (
        "导入校外扫描结果：sentinel import 结果.xml --vantage outside",
        "Import a scan made outside: sentinel import FILE --vantage outside",
    ),
    "step_renew_lines": ("核实到期资产，续登记或下线。", "Renew the registration of these assets or retire them."),
    "step_contact": ("登记网络安全联系人：sentinel unit contact set", "Name a contact: sentinel unit contact set"),
    "unknown_since": (
        "最近的输入是 {day} 的结果，此后的变化未知。",
        "The newest input is of {day}; what changed since is not known.",
    ),
    "unknown_silent_scan": (
        "已有 {days} 天没有新的扫描结果（最近一次 {day}），此后的变化未知。",
        "No scan for {days} days (the newest is of {day}); what changed since is not known.",
    ),
    "unknown_silent_import": (
        "已有 {days} 天没有新的导入（最近一次 {day}），此后的变化未知。",
        "Nothing was imported for {days} days (the newest is of {day}); what changed since is not known.",
    ),
    "unknown_silent_capture": (
        "已有 {days} 天没有新的抓包（最近一次 {day}），此后有无挖矿未知。",
        "No capture for {days} days (the newest is of {day}); mining since then is not known.",
    ),
    "unknown_register": (
        "没有导入资产台账，已登记、未登记和登记未发现均未核查。",
        "No register was imported, so nothing can be called registered or unregistered.",
    ),
    "unknown_exposure": (
        "没有从互联网一侧看过，互联网暴露面未核查。",
        "Nobody looked from the internet, so the exposure is not known.",
    ),
    "unknown_lines": (
        "{whole} 条登记中有 {n} 条未核查，不能说存在，也不能说不存在。",
        "{n} of {whole} lines of the register were not checked: neither there nor gone can be said.",
    ),
    "unknown_lines_named": (
        "其中 {n} 条只登记了域名，没有见到其地址。",
        "{n} of them give only a name whose address was not seen.",
    ),
    "unknown_lines_nowhere": ("其中 {n} 条没有登记地址和域名。", "{n} of them give neither address nor name."),
    "unknown_hosts_logs": (
        "仅看日志的网段（宿舍、无线）见到 {n} 台个人设备，不计入未登记。",
        "{n} devices in networks of which only logs are read are not counted as unregistered.",
    ),
}
