"""Why a cell could not be read, as scripts are told it, in; the same for those who fill in sheets, in Chinese, out."""

from __future__ import annotations

import re

_REASONS: tuple[tuple[str, str], ...] = (
    (r"a formula without a stored value", "是公式且没有存下结果：请直接写值"),
    (r"a formula that failed: .*", "公式出错：请直接写值"),
    (r"longer than (\d+) characters", r"超过 \1 个字符"),
    (r"no address, range or domain .*", "不是地址、范围或域名：写 10.0.0.5、10.0.0.0/24 或 www.school.example"),
    (r"no address or prefix .*", "不是地址或网段：写 10.0.0.5 或 10.0.0.0/24"),
    (r"an address no host can have", "不是主机可用的地址"),
    (r"too wide for an entry: at most a /(\d+); .*", r"网段太大：最大 /\1，请写实际使用的网段"),
    (r"a range that runs backwards or holds more than (\d+) addresses", r"地址范围首尾颠倒，或超过 \1 个地址"),
    (r"is the number behind / a mask .*", "斜线后是掩码还是另一个地址？请把每个地址写全"),
    (r"no port behind the address .*", "地址后面的端口不对：端口为 1 至 65535"),
    (r"no domain .*", "不是域名：写 www.school.example"),
    (r"an address in a column of domains .*", "域名列里是地址：请写到 IP地址列"),
    (r"no ports .*", "不是端口：写 443 或 22、80-90，端口为 0 至 65535"),
    (r"ports without an address", "只有端口，没有地址或域名"),
    (r"no date \(write 1958, .*", "不是日期：写 1958、1958-09 或 1958-09-01"),
    (r"no date .*", "不是日期：写 2026-12-31 或 长期"),
    (r"two dates where one day belongs", "这里只写一个日期"),
    (r"it ends before it begins", "结束早于开始"),
    (r"it ends before it was issued", "有效期早于备案日期"),
    (r"a day that is still to come", "日期晚于今天"),
    (r"neither a system, an address nor a domain", "系统名称、地址、域名都没有"),
    (r"no name of a system", "没有系统名称"),
    (r"the system itself: .*", "上级系统是它自己：请留空，或填它所属的系统"),
    (r"no system of this name is declared", "没有这个名称的系统"),
    (r"no system of this name in the sheet (.+)", r"「\1」表中没有这个名称的系统"),
    (r"the same system as row (\d+)", r"与第 \1 行是同一个系统"),
    (r"says otherwise than row (\d+), which counts", r"与第 \1 行不一致，以第 \1 行为准"),
    (r"no level from 1 to 5 .*", "不是一至五级：写 二级 或 2，未定级留空"),
    (r"not the higher of the two levels beside it", "不是旁边两个等级中较高的"),
    (r"neither yes nor no .*", "写 是 或 否"),
    (r"no whole number .*", "不是整数：写 12000 或 1.2万"),
    (r"no rate from 0 to 100 .*", "不是 0 至 100 的百分数：写 82.5"),
    (r"none of (.+)", r"只能填 \1"),
    (r"more fixed than there were", "已整改的多于总数"),
    (r"no filing number .*", "不是等保备案号：11 位数字、连字符、5 位数字，如 41010012345-00001"),
    (r"a filing number whose first two digits .*", "备案号前两位不是省份代码：41 为河南，22 为吉林"),
    (r"no ICP number .*", "不是 ICP 备案号：如 豫ICP备12345678号-1"),
    (r"no police filing number .*", "不是公安联网备案号：如 豫公网安备41010002000001号"),
    (r"a police filing number whose letter .*", "公安联网备案号的省份简称与数字不是同一个省"),
    (r"no number of an education app .*", "不是教育 APP 备案号：如 教APP备4100001号"),
    (r"at most (\d+) printable characters", r"至多 \1 个可显示的字符"),
    (r"a unit needs its name", "没有单位名称"),
    (r"no code: .*", "不是代码：写 10 位标识码，或不含 / 的字符"),
    (r"not the 10-digit code of a school: .*", "不是 10 位学校（机构）标识码，已照写"),
    (r"no code, and not the only unit of this name: .*", "没有代码，又不止一个单位叫这个名称：请写代码"),
    (r"the code stands in an earlier row .*", "前面有一行代码相同、内容不同"),
    (r"several units are called so: .*", "不止一个单位叫这个名称：请写上级的代码"),
    (r"no such unit in the file or the home: .*", "文件和数据目录中都没有这个单位：先登记上级"),
    (r"the unit changed after the day of this list: .*", "单位在名单的日期之后又有更改：用 unit rename 或 unit move"),
    (r"the row of the unit above was not taken", "上级单位的那一行未登记"),
    (r"a unit of level (\w+) cannot stand under one of level (\w+)", r"\1 级的单位不能在 \2 级的单位之下"),
    (r"(.+) of level (\w+) stands under it: a unit of level (\w+) .*", r"其下有 \2 级的 \1，不能改为 \3 级"),
    (r"it stands below itself: .*", "上级绕回到它自己"),
    (r"no such level .*", "没有这个层级：写 省、市、县、学校 或 二级单位"),
    (r"no such kind of unit \((.+)\)", r"没有这个类别：写 \1"),
    (r"a credit code has 18 characters, not (\d+)", r"统一社会信用代码是 18 位，这里有 \1 位"),
    (r"a credit code has figures and capitals .*", "统一社会信用代码只用数字与大写字母，不用 I、O、S、V、Z"),
    (r"the check character of the credit code .*", "统一社会信用代码的校验码不对：有一位写错了"),
    (r"a region is .*", "属地写 6 位行政区划代码，或至多 60 个字符的地名"),
    (r"a region code has 6 digits .*", "行政区划代码是 6 位数字，以省份代码开头"),
    (r"no phone number .*", "不是电话号码：写 0371-60000000"),
    (r"no mail address .*", "不是邮箱：写 name@school.example"),
    (r"neither an address nor a domain", "地址和域名都没有"),
    (r"no range of at most (\d+) addresses .*", r"不是地址范围，或超过 \1 个地址：写 10.0.0.5-10.0.0.9"),
    (r"nobody approved this row .*", "没有写审批人或部门（也可用 --approved-by 写明）"),
    (r"nobody approved this line .*", "没有写审批部门或职务（也可用 --approved-by 写明）"),
    (r"no code of a line .*", "不是草案的行编号（如 D3-17-0a1b2c3d）：请照草案抄回"),
    (r"no such line in the drafts of (.+)", r"\1 的草案中没有这一行"),
    (r"not what the draft says; .*", "与草案不符：这一栏不能改，请改回，或另用 whitelist add"),
    (r"no decision \(choose (.+)\)", r"不是决定：只能选 \1"),
    (r"this line stands twice .*", "同一行在表中出现两次，决定不同"),
    (r"decided before: (.+?)(?:, entry (\d+))?; .*", r"以前已决定为\1：要更改，先撤销已写入的条目，再重新生成草案"),
    (r"the map or the register is not what it was .*", "草案之后地图或台账有变化：请重新生成草案"),
    (r"lies in the past, or .*", "已过期，或早于生效时间"),
)  # fmt: skip

_COMPILED = tuple((re.compile(pattern), words) for pattern, words in _REASONS)


def reason_in_chinese(reason: str) -> str:
    """Give a reason in Chinese; one nobody translated stays as it is."""
    for pattern, words in _COMPILED:
        found = pattern.fullmatch(reason)
        if found is not None:
            return found.expand(words)
    return reason
