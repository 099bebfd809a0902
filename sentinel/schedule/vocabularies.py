"""The titles of registers and of lists of flaws as people write them, and the words for what columns say."""

from __future__ import annotations

from sentinel.schedule.columns import TITLES, Field, Vocabulary
from sentinel.schedule.system_fields import SYSTEM_FIELDS

_SHARED = (Field.ADDRESS, Field.DOMAIN, Field.PORTS, Field.PROTOCOL, Field.SERVICE)

_ADDRESS_MORE = (
    "ip或域名 ip域名 域名ip ip及端口 ip和端口 管理ip 管理地址 业务ip 业务地址 资产ip 资产地址 设备ip 设备地址 "
    "浮动ip 虚拟ip 映射ip 映射地址 局域网ip"
)

_REGISTER_ONLY: dict[Field, tuple[str, str]] = {
    Field.VALID_FROM: (
        f"{TITLES[Field.VALID_FROM][0]} 上线时间 上线日期 投运时间 投运日期 投入使用时间 投用时间 建成时间 使用日期",
        "",
    ),
    Field.VALID_TO: (f"{TITLES[Field.VALID_TO][0]} 下线时间 下线日期 停用时间 停用日期 报废日期", ""),
    Field.DEPARTMENT: (
        (
            "责任部门 使用部门 所属部门 归属部门 管理部门 主管部门 责任单位 使用单位 所属单位 归属单位 二级单位 "
            "责任处室 业务部门 运维部门 department owner ownerdepartment"
        ),
        "部门 单位 处室 院系",
    ),
    Field.PERSON: (
        (
            "责任人 管理员 负责人 联系人 系统管理员 安全责任人 "
            "安全负责人 安全管理员 资产责任人 资产负责人 责任人姓名 "
            "联系人姓名 管理员姓名 运维人员 运维负责人 使用人 保管人 person administrator contact contactname"
        ),
        "姓名",
    ),
    Field.PHONE: (
        (
            "联系电话 联系方式 手机 手机号 手机号码 责任人电话 "
            "负责人电话 管理员电话 联系人电话 办公电话 phone mobile telephone"
        ),
        "电话",
    ),
    Field.MAIL: ("邮箱 电子邮箱 电子邮件 联系邮箱 责任人邮箱 email mail emailaddress", ""),
    Field.LEVEL: (
        (
            "等保级别 等保等级 等级保护级别 等级保护等级 定级级别 "
            "定级等级 定级情况 安全保护等级 保护等级 系统级别 mlpslevel"
        ),
        "定级 级别",
    ),
    Field.FILING: (
        "等保备案号 等保备案编号 备案证明编号 等级保护备案号 公安备案编号 备案证号 系统备案编号 定级备案号 filing",
        "",
    ),
    Field.KIND: (
        "资产类型 资产类别 资产分类 设备类型 设备类别 系统类型 主机类型 kind assettype devicetype",
        "类型 类别",
    ),
    Field.PLACE: (
        (
            "机房 所在机房 机房位置 物理位置 存放位置 存放地点 安装位置 "
            "部署位置 所在位置 机柜 机柜位置 地点 location place"
        ),
        "位置",
    ),
    Field.NOTE: ("备注 说明 备注说明 其他说明 note notes remark remarks", "描述 description"),
}


def _joined(what: Field, strong: str = "", weak: str = "") -> tuple[str, str]:
    first, second = TITLES[what]
    return f"{first} {strong}", f"{second} {weak}"


_SYSTEMS_ONLY = {one.what: (f"{one.word.lower()} {one.titles}", "") for one in SYSTEM_FIELDS if one.titles}

REGISTER = Vocabulary(
    "register",
    {
        **{what: TITLES[what] for what in _SHARED},
        Field.ADDRESS: _joined(Field.ADDRESS, _ADDRESS_MORE),
        Field.SYSTEM: _joined(
            Field.SYSTEM,
            "设备名称 主机名称 服务器名称 网站系统名称 资产 业务名称 平台名称",
            "主机名 服务器",
        ),
        **_REGISTER_ONLY,
        **_SYSTEMS_ONLY,
    },
    frozenset({Field.ADDRESS, Field.DOMAIN, Field.SYSTEM}),
)

REPORT = Vocabulary(
    "report",
    {
        **{what: TITLES[what] for what in _SHARED},
        Field.ADDRESS: _joined(
            Field.ADDRESS,
            f"{_ADDRESS_MORE} 目标ip 目标地址 受影响ip 受影响主机 影响主机 漏洞ip 存在主机 targetip affectedhost",
            "目标 资产 主机 target asset",
        ),
        Field.DOMAIN: _joined(Field.DOMAIN, "漏洞url 漏洞地址 漏洞链接 风险url 目标url"),
        Field.FLAW: (
            (
                "漏洞名称 漏洞名 漏洞标题 风险名称 隐患名称 弱点名称 "
                "问题名称 脆弱性名称 漏洞 pluginname vulnerability "
                "vulnerabilityname vulnname title"
            ),
            "名称 name 标题",
        ),
        Field.SEVERITY: (
            (
                "风险等级 危险级别 漏洞级别 漏洞等级 危险等级 危害等级 "
                "风险级别 威胁等级 严重程度 严重等级 严重级别 威胁级别 "
                "漏洞危害等级 隐患等级 risk severity risklevel threat"
            ),
            "级别 等级 level",
        ),
        Field.SCORE: (
            "危险分值 风险分值 cvss评分 cvss分值 cvss分数 cvss cvssscore cvssv30basescore cvss3 cvssv3 评分 漏洞评分",
            "",
        ),
        Field.CHECK: ("插件id 插件编号 漏洞id 检测项编号 pluginid nvtoid 规则编号 vulnid", ""),
        Field.REFERENCE: (
            (
                "cve cve编号 cveid cves cnvd cnvd编号 cnnvd "
                "cnnvd编号 漏洞编号 cve号 cve年份编号 cncve cncve编号 相关cve "
                "cnvdid cnnvdid"
            ),
            "编号",
        ),
        Field.SOLUTION: (
            "修复建议 解决方案 整改建议 加固建议 解决办法 修补建议 处置建议 修复方案 解决方法 solution remediation",
            "建议",
        ),
        Field.FOUND: (
            (
                "发现时间 发现日期 扫描时间 检测时间 首次发现时间 "
                "最近发现时间 检测日期 扫描日期 timestamp foundat lastseen"
            ),
            "时间 日期",
        ),
        Field.STATUS: ("状态 修复状态 处理状态 整改状态 处置状态 漏洞状态 status state", ""),
    },
    frozenset({Field.FLAW}),
)

PERSONAL = frozenset(
    {
        *{Field.PERSON, Field.PHONE, Field.MAIL, Field.LEADER, Field.LEADER_PHONE},
        *{Field.OPERATOR_PERSON, Field.OPERATOR_PHONE},
    }
)
"""Columns that name somebody: a file that has one is not kept."""

WORDS = {
    Field.ADDRESS: "IP地址",
    Field.DOMAIN: "域名",
    Field.PORTS: "端口",
    Field.PROTOCOL: "协议",
    Field.SERVICE: "服务",
    Field.SYSTEM: "系统名称",
    Field.APPROVAL: "审批人",
    Field.VALID_FROM: "启用日期",
    Field.VALID_TO: "有效期",
    Field.DEPARTMENT: "责任部门",
    Field.PERSON: "责任人",
    Field.PHONE: "联系电话",
    Field.MAIL: "邮箱",
    Field.LEVEL: "等保级别",
    Field.FILING: "等保备案号",
    Field.KIND: "资产类型",
    Field.PLACE: "位置",
    Field.NOTE: "备注",
    Field.FLAW: "漏洞名称",
    Field.SEVERITY: "风险等级",
    Field.SCORE: "评分",
    Field.CHECK: "插件编号",
    Field.REFERENCE: "漏洞编号",
    Field.SOLUTION: "修复建议",
    Field.FOUND: "发现时间",
    Field.STATUS: "状态",
    Field.UNIT_CODE: "单位代码",
    Field.UNIT_NAME: "单位名称",
    Field.UNIT_PARENT: "上级单位",
    Field.UNIT_LEVEL: "层级",
    Field.REGION: "属地",
    Field.UNIT_KIND: "学校类别",
    Field.CREDIT: "统一社会信用代码",
    Field.AFFILIATION: "举办者",
    Field.ALIASES: "别名",
    Field.OUTSIDE: "公网地址",
    Field.OUTSIDE_PORT: "公网端口",
    Field.INSIDE: "内网地址",
    Field.INSIDE_PORT: "内网端口",
    Field.VIA: "方式",
    **{one.what: one.word for one in SYSTEM_FIELDS if one.titles},
}
"""What people call the fields; `--map` takes these words and the English names alike."""

VOCABULARIES = {one.purpose: one for one in (REGISTER, REPORT)}
