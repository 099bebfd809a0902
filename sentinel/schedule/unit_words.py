"""The titles lists of units and of publications are known by."""

from __future__ import annotations

from sentinel.model.unit import UnitLevel
from sentinel.observe.table import fold_width
from sentinel.schedule.columns import Field, Vocabulary

UNITS = Vocabulary(
    "units",
    {
        Field.UNIT_CODE: (
            (
                "学校机构标识码 学校标识码 机构标识码 标识码 学校代码 单位代码 机构代码 学校编码 单位编码 办学机构代码 "
                "学校机构代码 学校标识码10位 单位标识码 教育机构代码 院校代码 schoolcode unitcode"
            ),
            "代码 编码 code",
        ),
        Field.UNIT_NAME: (
            (
                "学校名称 单位名称 机构名称 学校机构名称 学校全称 单位全称 办学机构名称 学校单位名称 校名 院校名称 "
                "幼儿园名称 单位学校名称 unitname schoolname"
            ),
            "名称 学校 单位 全称 部门名称 二级单位 二级单位名称 name",
        ),
        Field.UNIT_PARENT: (
            (
                "上级单位 上级单位代码 上级单位名称 主管单位 主管部门 主管教育行政部门 隶属 隶属单位 上级部门 上级代码 "
                "上级 主管教育局 所属教育局 上级主管部门 parent parentcode"
            ),
            "所属单位 所属",
        ),
        Field.UNIT_LEVEL: ("层级 单位层级 单位级别 行政层级 level", "级别"),
        Field.REGION: (
            (
                "属地 属地代码 行政区划 行政区划代码 区划代码 所在地 所在地区 所在区县 所在县区 所属区域 所属区县 "
                "所属县区 所在县市区 所属地区 属地行政区划 region regioncode"
            ),
            "区县 县区 地区",
        ),
        Field.UNIT_KIND: ("学校类别 办学类型 学校类型 单位类别 机构类别 学校办学类型 kind schooltype", "类别 类型"),
        Field.CREDIT: ("统一社会信用代码 社会信用代码 信用代码 统一信用代码 creditcode", ""),
        Field.AFFILIATION: ("举办者 举办者类型 学校举办者 办学性质 隶属关系 举办单位 affiliation", "性质"),
        Field.ALIASES: ("别名 曾用名 简称 学校简称 其他名称 aliases", ""),
        Field.VALID_FROM: (
            (
                "设立日期 设立时间 成立日期 成立时间 建校日期 建校时间 建校年份 创办日期 创办时间 开办日期 开办时间 "
                "办学起始日期 批准设立日期 批准成立日期 启用日期 启用时间 validfrom"
            ),
            "",
        ),
        Field.VALID_TO: (
            (
                "撤并日期 撤并时间 撤销日期 撤销时间 停办日期 停办时间 终止日期 终止时间 注销日期 注销时间 关停日期 "
                "停用日期 停用时间 validto"
            ),
            "",
        ),
        Field.PERSON: (
            (
                "网络安全联系人 网络安全联系人姓名 联系人 联系人姓名 网络安全负责人 网络安全责任人 网安联系人 "
                "网安负责人 安全联系人 安全责任人 网络安全联络员 联络员 联络人 信息化联系人 网络管理员 contact"
            ),
            "姓名 负责人 责任人 负责人姓名 责任人姓名 管理员",
        ),
        Field.PHONE: (
            (
                "联系电话 联系人电话 联系人手机 联系人手机号 手机 手机号 手机号码 移动电话 电话 电话号码 联系方式 "
                "联系号码 责任人电话 负责人电话 办公电话 phone mobile"
            ),
            "",
        ),
        Field.MAIL: ("邮箱 电子邮箱 电子邮件 联系人邮箱 联系邮箱 责任人邮箱 mail email", ""),
        Field.NOTE: ("备注 说明 note", ""),
    },
    frozenset({Field.UNIT_NAME}),
    {Field.VALID_FROM: "设立日期", Field.VALID_TO: "撤并日期", Field.PERSON: "联系人"},
)
"""`有效期` in a list of units is that of a licence, not of the unit: such a column says nothing unless told so."""

PUBLICATIONS = Vocabulary(
    "publications",
    {
        Field.OUTSIDE: (
            "公网地址 公网ip 公网ip地址 外网地址 外网ip 外网ip地址 互联网地址 互联网ip 映射地址 映射公网ip publicip",
            "外部地址",
        ),
        Field.OUTSIDE_PORT: ("公网端口 外网端口 互联网端口 外部端口 映射端口 publicport", ""),
        Field.PROTOCOL: ("协议 协议类型 protocol proto", ""),
        Field.DOMAIN: ("域名 网站域名 访问域名 网址 url domain", ""),
        Field.INSIDE: (
            "内网地址 内网ip 内网ip地址 服务器内网ip 内部地址 真实ip 源站ip 源站地址 后端地址 insideip privateip",
            "服务器ip 服务器地址",
        ),
        Field.INSIDE_PORT: ("内网端口 内部端口 源站端口 后端端口 insideport privateport", "服务端口 端口"),
        Field.VIA: ("方式 经由 映射方式 发布方式 via", ""),
        Field.VALID_FROM: ("启用日期 启用时间 开通日期 映射日期 validfrom", ""),
        Field.VALID_TO: ("有效期 有效期至 失效日期 到期日期 截止日期 validto", ""),
        Field.NOTE: ("备注 用途 说明 note", ""),
    },
    frozenset({Field.OUTSIDE, Field.INSIDE}),
)

_LEVELS = {
    UnitLevel.PROVINCE: "省 省级 省厅 自治区 直辖市 province",
    UnitLevel.CITY: "市 市级 地市 地市级 州 设区市 city",
    UnitLevel.COUNTY: "县 县级 区 区县 区县级 县区 县市区 乡镇 county",
    UnitLevel.SCHOOL: "学校 校 校级 高校 园 school",
    UnitLevel.DEPARTMENT: "二级单位 院系 部门 处室 科室 department",
}
_BY_WORD = {word: level for level, words in _LEVELS.items() for word in words.split()}


def parse_level(text: str) -> UnitLevel:
    """Read a level by its Chinese or English word.

    Raises:
        ValueError: it is none of them.
    """
    found = _BY_WORD.get("".join(fold_width(text).split()).lower())
    if found is None:
        raise ValueError("no such level (省、市、县、学校、二级单位)")
    return found
