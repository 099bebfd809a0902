"""What tampered, mining and untouched sites give themselves away by: the words and marks pages are searched for."""

from __future__ import annotations

import re

GAMBLING = re.compile(
    "博彩|百家乐|时时彩|六合彩|老虎机|真人视讯|真人娱乐|真人荷官|棋牌|娱乐城|娱乐场|赌场|赌球|北京赛车|幸运飞艇|快三平台|"
    "葡京|威尼斯人娱乐|太阳城(?:集团|娱乐)|皇冠体育|皇冠足球|金沙娱乐|永利娱乐|银河娱乐|亚博体育|开户送|首存|下注|投注平台|彩票平台|"
    "网上赌博|捕鱼游戏|澳门(?:娱乐|平台|线上)|体育投注|bet365|pk10|slot gacor|situs judi|online casino|"
    "成人电影|成人视频|色情|裸聊|一夜情|约炮|私服发布|代孕|迷药|枪支出售",
    re.IGNORECASE,
)
"""Words links for search engines are sold by; words schools warn of as a rule (赌博, 彩票) are left out."""

MINING = (
    (re.compile(r"coinhive(?:\.min)?\.js|\bCoinHive\.(?:Anonymous|User|Token)", re.IGNORECASE), "CoinHive"),
    (re.compile(r"\bcoinimp|\bnew\s+Client\.Anonymous\s*\("), "CoinIMP"),
    (re.compile(r"crypto-?loot(?:\.min)?\.js|\bCRLT\.Anonymous|\bCryptoLoot\.", re.IGNORECASE), "CryptoLoot"),
    (re.compile(r"deepminer(?:\.min)?\.js|\bdeepMiner\.(?:Anonymous|Init)", re.IGNORECASE), "deepMiner"),
    (re.compile(r"webminepool|\bWMP\.Anonymous", re.IGNORECASE), "WebMinePool"),
    (re.compile(r"\bWebMoneroPool|webmr\.js|\bstartMining\(\s*[\"']", re.IGNORECASE), "WebMoneroPool"),
    (re.compile(r"\bjsecoin\b|load\.jsecoin", re.IGNORECASE), "JSEcoin"),
    (re.compile(r"\bminero\.(?:cc|js)|\bMinero\.Anonymous", re.IGNORECASE), "Minero"),
    (re.compile(r"cryptonight(?:\.min)?\.(?:js|wasm|asm)|\bcryptonight_hash\b", re.IGNORECASE), "CryptoNight"),
    (re.compile(r"\brandomx(?:\.min)?\.(?:js|wasm)", re.IGNORECASE), "RandomX"),
    (re.compile(r"\bprojectPoi\b|projectpoi(?:\.min)?\.js", re.IGNORECASE), "ProjectPoi"),
    (re.compile(r"\bmonerominer\b|\bxmr-?miner\.js", re.IGNORECASE), "MoneroMiner"),
)
"""Miners in the browser, by the names of their files and objects."""

DEFAULT_PAGES = (
    (re.compile(r"Welcome to nginx!|Test Page for the Nginx HTTP Server"), "nginx"),
    (re.compile(r"Welcome to OpenResty!"), "openresty"),
    (re.compile(r"Welcome to tengine!", re.IGNORECASE), "tengine"),
    (
        re.compile(
            r"Apache2 (?:Ubuntu|Debian) Default Page|Test Page for the Apache HTTP Server|Apache HTTP Server Test Page|"
            r"HTTP Server Test Page powered by|<html><body><h1>It works!</h1>"
        ),
        "apache",
    ),
    (re.compile(r"<title>IIS Windows|<title>IIS7</title>|iisstart\.(?:png|htm)|<title>IIS Windows Server"), "iis"),
    (re.compile(r"<title>Apache Tomcat/|you've successfully installed Tomcat", re.IGNORECASE), "tomcat"),
    (re.compile(r"Whitelabel Error Page"), "spring-boot"),
    (re.compile(r"恭喜[,，]? ?站点创建成功|<title>没有找到站点</title>"), "bt-panel"),
    (re.compile(r"<title>站点创建成功-phpstudy|phpStudy 探针", re.IGNORECASE), "phpstudy"),
    (re.compile(r"<title>WAMPSERVER Homepage|<title>Welcome to XAMPP", re.IGNORECASE), "xampp"),
    (re.compile(r"<title>Welcome to (?:CentOS|JBoss|GlassFish|Jetty)", re.IGNORECASE), "platform"),
)
"""Pages a program shows when nobody has set it up, by words of theirs."""

LISTINGS = re.compile(
    r"<title>\s*(?:Index of /|Directory listing for /|Directory Listing For \[?/)|\[To Parent Directory\]|"
    r"\[转到父目录\]|<h1>Index of /",
    re.IGNORECASE,
)
"""A folder listed by Apache, nginx, lighttpd, Python, Tomcat or IIS."""

ERRORS = (
    (re.compile(r"<b>(?:Fatal error|Warning|Parse error|Notice)</b>:[^\n]{1,300} on line <b>\d"), "php"),
    (
        re.compile(r"Traceback \(most recent call last\)|You're seeing this error because you have <code>DEBUG"),
        "python",
    ),
    (re.compile(r"\bat (?:[\w$]{1,60}\.){2,12}[\w$<>]{1,60}\([\w$]{1,60}\.java:\d{1,6}\)"), "java"),
    (re.compile(r"Server Error in '[^']{0,80}' Application"), "asp.net"),
    (re.compile(r"ThinkPHP</a>\s*<sup>V?\d|<title>系统发生错误</title>"), "thinkphp"),
    (re.compile(r"Whoops, looks like something went wrong|Illuminate\\[A-Z]\w+\\"), "laravel"),
    (re.compile(r"You have an error in your SQL syntax|ORA-\d{5}:|Microsoft OLE DB Provider"), "sql"),
)
"""Error pages that tell strangers about the inside."""

SESSION_COOKIES = re.compile(r"sess|sid\b|token|auth|login|ticket|jwt|\bcas|user", re.IGNORECASE)
SCRIPT_COOKIES = re.compile(r"xsrf|csrf", re.IGNORECASE)
"""Cookies scripts are meant to read."""

FRAMEWORK_COOKIES = (
    (re.compile(r"PHPSESSID$"), "PHP"),
    (re.compile(r"JSESSIONID"), "Java"),
    (re.compile(r"ASP\.NET_SessionId$|\.ASPXAUTH$"), "ASP.NET"),
    (re.compile(r"ASPSESSIONID"), "ASP"),
    (re.compile(r"laravel_session$"), "Laravel"),
    (re.compile(r"rememberMe$"), "Shiro"),
    (re.compile(r"csrftoken$"), "Django"),
    (re.compile(r"think_(?:var|lang)$"), "ThinkPHP"),
)
"""Frameworks by the cookies they set."""
