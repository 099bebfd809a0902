"""The fields of an information system: how sheets call them, what may stand in them, what the template says of each.

One table feeds the vocabulary of registers, the reading of cells, the template and the words of listings.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sentinel.schedule.columns import Field


class Kind(StrEnum):
    """What may stand in the cells of a field."""

    TEXT = "text"
    LEVEL = "level"
    DAY = "day"
    YES_NO = "yes_no"
    COUNT = "count"
    RATE = "rate"
    CHOICE = "choice"
    FILING = "filing"
    ICP = "icp"
    POLICE = "police"
    APP = "app"
    PERSON = "person"
    PHONE = "phone"
    MAIL = "mail"


@dataclass(frozen=True, slots=True)
class SystemField:
    """One field.

    Attributes:
        what: the column.
        name: attribute of SystemFacts; for persons, the role.
        kind: what may stand in its cells.
        word: what people call it; the head of the template's column.
        titles: further titles sheets use, without signs, lower case.
        note: what to write, for the template.
        choices: the words to choose from.
        example: an example, for the template.
        width: characters of the template's column.
    """

    what: Field
    name: str
    kind: Kind
    word: str
    titles: str = ""
    note: str = ""
    choices: tuple[str, ...] = ()
    example: str = ""
    width: int = 14


YES_NO = ("是", "否")
LEVELS = ("一级", "二级", "三级", "四级", "五级")
DATA_GRADES = ("一般", "重要", "核心")
RESULTS = ("符合", "基本符合", "不符合", "优", "良", "中", "差")
IPV6 = ("支持", "部分支持", "不支持")
CRYPTO = ("未开展", "进行中", "已通过", "未通过", "不适用")
HOSTING = ("校内机房", "上级单位机房", "教育云", "公有云", "托管机房", "厂商 SaaS")

_DATE = "日期，如 2026-03-01"

SYSTEM_FIELDS = (
    SystemField(
        Field.SYSTEM, "name", Kind.TEXT, "系统名称",
        note="必填。信息系统或定级对象的全称；「主机与域名」表按此名称归入。一张表中不得重名。",
        example="教务管理系统", width=24,
    ),
    SystemField(
        Field.CODE, "code", Kind.TEXT, "系统编号", "系统编码 信息系统编号 系统代码",
        note="本单位自编的编号，可不填。", example="XX-001", width=12,
    ),
    SystemField(
        Field.CLASSIFIED, "classified", Kind.CHOICE, "是否涉密", "涉密 涉密系统 是否涉密系统 密级 涉密等级 系统密级",
        note="只能填否。涉密系统不得登记在本表中：有一行填是，整个文件不予登记。", choices=("否",), example="否",
        width=10,
    ),
    SystemField(
        Field.PARENT, "parent", Kind.TEXT, "上级系统", "父系统 上级信息系统 parentsystem",
        note="本系统是哪个系统的一部分：填那个系统的系统名称。", example="", width=18,
    ),
    SystemField(
        Field.DEPARTMENT, "department", Kind.TEXT, "责任部门",
        note="对系统负责的单位或部门。", example="教务处", width=16,
    ),
    SystemField(
        Field.LEADER, "leader", Kind.PERSON, "分管领导",
        "责任领导 主管领导 分管负责人 分管校领导 安全责任领导 leader",
        note="姓名加密存放，列出时遮盖。", example="示例甲", width=12,
    ),
    SystemField(
        Field.LEADER_PHONE, "leader", Kind.PHONE, "分管领导电话", "领导电话 责任领导电话 主管领导电话",
        note="加密存放。", example="0371-60000001", width=16,
    ),
    SystemField(
        Field.PERSON, "administrator", Kind.PERSON, "管理员", note="系统管理员姓名，加密存放，列出时遮盖。",
        example="示例乙", width=12,
    ),
    SystemField(
        Field.PHONE, "administrator", Kind.PHONE, "联系电话", note="管理员的电话，加密存放。",
        example="0371-60000002", width=16,
    ),
    SystemField(
        Field.MAIL, "administrator", Kind.MAIL, "邮箱", note="管理员的邮箱，加密存放。",
        example="jw@school.example", width=20,
    ),
    SystemField(
        Field.OPERATOR, "operator", Kind.TEXT, "运维单位", "运维厂商 运营单位 运维公司 维护单位 维护厂商",
        note="日常运行维护的单位；自行运维的填本单位。", example="示例信息技术有限公司", width=20,
    ),
    SystemField(
        Field.OPERATOR_PERSON, "operator", Kind.PERSON, "运维联系人", "运维单位联系人 厂商联系人",
        note="加密存放。", example="示例丙", width=12,
    ),
    SystemField(
        Field.OPERATOR_PHONE, "operator", Kind.PHONE, "运维联系电话", "运维电话 运维联系人电话 厂商电话 厂商联系电话",
        note="加密存放。", example="0371-60000003", width=16,
    ),
    SystemField(
        Field.BUSINESS, "business", Kind.TEXT, "业务类型", "业务类别 业务分类 系统类别 业务描述",
        note="如 门户网站、教务教学、一卡通、科研、人事财务。", example="教务教学", width=14,
    ),
    SystemField(
        Field.SCOPE, "scope", Kind.TEXT, "服务范围", "服务对象 用户范围 使用范围 用户类型",
        note="服务谁，如 全校师生、社会公众。", example="全校师生", width=14,
    ),
    SystemField(
        Field.BUSINESS_LEVEL, "business_level", Kind.LEVEL, "业务信息安全等级",
        "业务信息等级 业务信息安全保护等级 业务信息级别 s级",
        note="一级至五级；系统的等级取两者中较高的。未定级的两格都留空。", choices=LEVELS, example="二级", width=14,
    ),
    SystemField(
        Field.SERVICE_LEVEL, "service_level", Kind.LEVEL, "系统服务安全等级",
        "系统服务等级 系统服务安全保护等级 系统服务级别 a级",
        note="一级至五级。", choices=LEVELS, example="二级", width=14,
    ),
    SystemField(
        Field.GRADED_ON, "graded_on", Kind.DAY, "定级日期", "定级时间",
        note=_DATE, example="2025-03-01", width=12,
    ),
    SystemField(
        Field.AUTHORITY, "authority_approved", Kind.YES_NO, "主管部门已审批",
        "主管部门审批 主管部门核准 主管部门是否审批 上级部门审批",
        note="定级结果是否经主管部门审批。", choices=YES_NO, example="是", width=12,
    ),
    SystemField(
        Field.EXPERT, "expert_review", Kind.YES_NO, "已专家评审", "专家评审 是否专家评审 是否经专家评审",
        note="定级结果是否经专家评审。", choices=YES_NO, example="是", width=10,
    ),
    SystemField(
        Field.FILING, "filing", Kind.FILING, "等保备案号",
        note="备案证明编号：11 位数字、连字符、5 位数字，如 41010012345-00001。单元格已设为文本。",
        example="41010012345-00001", width=21,
    ),
    SystemField(
        Field.FILING_ISSUED, "filing_issued", Kind.DAY, "备案日期",
        "备案时间 发证日期 备案证明日期 备案证明签发日期 签发日期",
        note=f"备案证明的签发日期。{_DATE}", example="2025-04-10", width=12,
    ),
    SystemField(
        Field.FILING_EXPIRES, "filing_expires", Kind.DAY, "备案有效期至",
        "备案到期日期 备案证明有效期 备案有效期 备案到期时间",
        note=_DATE, example="2028-04-09", width=13,
    ),
    SystemField(
        Field.ASSESSOR, "assessor", Kind.TEXT, "测评机构", "测评单位 等保测评机构 等级测评机构",
        note="最近一次等级测评的机构。", example="示例测评有限公司", width=20,
    ),
    SystemField(
        Field.ASSESSED_ON, "assessed_on", Kind.DAY, "测评日期",
        "测评时间 最近测评时间 最近测评日期 最近一次测评时间 测评完成日期",
        note=f"不能晚于今天。{_DATE}", example="2026-05-20", width=12,
    ),
    SystemField(
        Field.RESULT, "assessment_result", Kind.CHOICE, "测评结论", "测评结果 等级测评结论",
        note="2025 年版报告：符合、基本符合、不符合；2021 年版：优、良、中、差。", choices=RESULTS,
        example="基本符合", width=11,
    ),
    SystemField(
        Field.RATE, "assessment_rate", Kind.RATE, "测评符合率", "符合率 测评得分 测评分数 符合率%",
        note="百分数，如 82.5；写 0.825 也作 82.5。", example="82.5", width=11,
    ),
    SystemField(
        Field.MAJOR_RISKS, "major_risks", Kind.COUNT, "重大风险隐患数", "重大风险数 重大风险隐患 重大隐患数",
        note="整改前的个数。", example="2", width=11,
    ),
    SystemField(
        Field.MAJOR_FIXED, "major_fixed", Kind.COUNT, "其中已整改",
        "已整改重大风险数 重大风险已整改数 重大风险隐患已整改",
        note="不能多于前一格。", example="2", width=10,
    ),
    SystemField(
        Field.CII, "cii", Kind.YES_NO, "关键信息基础设施", "关基 是否关基 是否关键信息基础设施",
        note="是否认定为关键信息基础设施。不进入任何列表与报告。", choices=YES_NO, example="否", width=11,
    ),
    SystemField(
        Field.DATA_GRADE, "data_grade", Kind.CHOICE, "数据级别",
        "数据分级 数据等级 数据最高级别 最高数据级别 数据安全级别",
        note="所存数据的最高级别。", choices=DATA_GRADES, example="一般", width=10,
    ),
    SystemField(
        Field.PERSONAL_COUNT, "personal_count", Kind.COUNT, "个人信息人数",
        "个人信息数量 个人信息条数 个人信息规模 涉及个人信息人数",
        note="存有多少人的个人信息，填整数；可写 1.2万。", example="12000", width=13,
    ),
    SystemField(
        Field.APP_FILING, "app_filing", Kind.APP, "教育APP备案号", "教育移动应用备案号 app备案号 教育app备案编号",
        note="如 教APP备4100001号；不是教育移动应用的不填。", example="", width=18,
    ),
    SystemField(
        Field.ICP, "icp", Kind.ICP, "ICP备案号", "icp icp备案 icp备案编号 网站备案号 工信部备案号 icp许可证号",
        note="如 豫ICP备12345678号-1。", example="豫ICP备12345678号-1", width=22,
    ),
    SystemField(
        Field.POLICE, "police_filing", Kind.POLICE, "公安联网备案号",
        "公安联网备案 公网安备 公网安备号 公安机关联网备案号 网安备案号",
        note="如 豫公网安备41010002000001号。", example="豫公网安备41010002000001号", width=28,
    ),
    SystemField(
        Field.IPV6, "ipv6", Kind.CHOICE, "IPv6支持", "支持ipv6 是否支持ipv6 ipv6改造 ipv6支持情况 ipv6改造情况",
        note="校外用 IPv6 能否访问。", choices=IPV6, example="支持", width=10,
    ),
    SystemField(
        Field.CRYPTO, "crypto", Kind.CHOICE, "商用密码评估",
        "密评 密评情况 商用密码应用安全性评估 密评结果 密码测评 是否密评",
        note="商用密码应用安全性评估的情况。", choices=CRYPTO, example="未开展", width=12,
    ),
    SystemField(
        Field.CRYPTO_ON, "crypto_on", Kind.DAY, "商用密码评估日期", "密评日期 密评时间 商用密码应用安全性评估日期",
        note=_DATE, example="", width=14,
    ),
    SystemField(
        Field.INTERACTIVE, "interactive", Kind.TEXT, "互动栏目", "交互栏目 互动功能 交互功能 互动版块",
        note="访客可以发言、上传的栏目，如 留言板、论坛；没有的填无。", example="留言板", width=14,
    ),
    SystemField(
        Field.HOSTING, "hosting", Kind.TEXT, "服务器所在",
        "部署方式 部署环境 服务器位置 服务器所在地 服务器托管地 托管方式",
        note="可从列表选，也可写具体地点。", choices=HOSTING, example="校内机房", width=14,
    ),
    SystemField(
        Field.VALID_FROM, "live_on", Kind.DAY, "上线日期", note=f"正式投入使用的日期。{_DATE}", example="2022-09-01",
        width=12,
    ),
    SystemField(
        Field.VALID_TO, "valid_until", Kind.DAY, "有效期至", note="计划用到哪一天；没有期限的写 长期 或留空。",
        example="长期", width=12,
    ),
    SystemField(Field.NOTE, "note", Kind.TEXT, "备注", note="不要写姓名、电话与身份证号。", width=24),
)  # fmt: skip
"""In the order of the template's columns; the example of each speaks of a made-up school."""

TOLD_LEVEL = SystemField(Field.LEVEL, "told_level", Kind.LEVEL, "等保级别")
"""The one column for the level foreign sheets have; the template has the two it follows from."""

BY_FIELD = {one.what: one for one in (*SYSTEM_FIELDS, TOLD_LEVEL)}

OWN_FIELDS = frozenset(
    {
        *{Field.BUSINESS_LEVEL, Field.SERVICE_LEVEL, Field.GRADED_ON, Field.AUTHORITY, Field.EXPERT},
        *{Field.FILING_ISSUED, Field.FILING_EXPIRES, Field.ASSESSOR, Field.ASSESSED_ON, Field.RESULT, Field.RATE},
        *{Field.MAJOR_RISKS, Field.CII, Field.APP_FILING, Field.ICP, Field.POLICE, Field.CRYPTO},
    }
)
"""Columns lists of hosts do not have: a sheet that has one declares systems, not lines alone."""
