#!/bin/sh
# Installs sentinel from the offline bundle this file lies in; nothing is fetched, nothing is sent.
#
#   sh install.sh [--prefix DIR]               install, or upgrade what is there
#   sh install.sh --uninstall [--prefix DIR]   remove what this installed; homes are never touched
#
# PYTHON=/path/to/python3 chooses the Python. Status: 0 done, 1 not done and nothing changed, 2 wrong words.
#
# DIR/versions/X is a virtual environment, DIR/current a link to the one in use. A new one takes over in one step, after
# it has answered; the one before is kept until the next upgrade, for those who have it running.
set -eu
umask 022

say() { printf '%s\n' "$*"; }
fail() {
    printf '%s\n' "$*" >&2
    exit 1
}
usage() {
    echo "用法 / usage: sh install.sh [--uninstall] [--prefix DIR]" >&2
    exit 2
}

here=$(cd "$(dirname "$0")" && pwd -P)
uninstall=""
prefix=""
while [ $# -gt 0 ]; do
    case "$1" in
        --uninstall) uninstall=yes ;;
        --prefix)
            [ $# -gt 1 ] && [ -n "$2" ] || usage
            prefix="$2"
            shift
            ;;
        --prefix=?*) prefix="${1#--prefix=}" ;;
        *) usage ;;
    esac
    shift
done

if [ "$(id -u)" = 0 ]; then
    bin=/usr/local/bin
    usual=/opt/sentinel
else
    [ -n "${HOME:-}" ] || fail "没有设置 HOME / HOME is not set"
    bin="$HOME/.local/bin"
    usual="$HOME/.local/share/sentinel"
fi
mark=.installed-by-sentinel
[ -n "$prefix" ] || { [ -e "$here/$mark" ] && prefix="$here" || prefix="$usual"; }
case "$prefix" in /*) ;; *) prefix="$PWD/$prefix" ;; esac
prefix="${prefix%/}"
[ -n "$prefix" ] || usage

# The link as it was made then: the user, and so the usual place, may be another today.
link="$bin/sentinel"
[ ! -s "$prefix/$mark" ] || link=$(cat "$prefix/$mark")
serves() {  # unit files that start what is installed here
    grep -ls "$prefix/current/" /etc/systemd/system/sentinel-*.service \
        "${XDG_CONFIG_HOME:-${HOME:-}/.config}"/systemd/user/sentinel-*.service || true
}
is_ours() { [ -L "$link" ] && [ "$(readlink "$link")" = "$prefix/current/bin/sentinel" ]; }

if [ -n "$uninstall" ]; then
    [ -e "$prefix/$mark" ] || fail "没有安装在 $prefix / not installed in $prefix"
    if is_ours; then rm -f "$link"; fi
    rm -rf "$prefix/versions"
    rm -f "$prefix/current" "$prefix/install.sh" "$prefix/$mark"
    rmdir "$prefix" 2>/dev/null || true
    if [ -n "$(serves)" ]; then
        say "仍有服务指向它，先前应执行 sentinel service remove；现在请删除服务文件 / services still name it, remove their files:"
        serves | while read -r one; do say "  $one"; done
    fi
    say "已卸载；数据目录（默认 ~/sentinel）未动 / removed; homes (~/sentinel by default) were not touched"
    exit 0
fi

# 1. Is the bundle whole?
[ -f "$here/SHA256SUMS" ] && [ -f "$here/VERSION" ] ||
    fail "请在解开的安装包内运行 install.sh / run install.sh inside the unpacked bundle"
command -v sha256sum >/dev/null 2>&1 || fail "缺少 sha256sum（coreutils） / sha256sum is missing (coreutils)"
if ! sums=$(cd "$here" && LC_ALL=C sha256sum -c SHA256SUMS 2>&1); then
    bad=$(printf '%s\n' "$sums" | sed -n 's/: FAILED.*//p' | tr '\n' ' ')
    fail "安装包损坏或被改动，未安装 / damaged or altered, nothing installed: ${bad:-SHA256SUMS}"
fi

# 2. Does it fit this machine?
want() { sed -n "s/^$1=//p" "$here/VERSION"; }
version=$(want version)
# shellcheck disable=SC2016
fit='
import os, sys, sysconfig
soabi, glibc = sys.argv[1], int(sys.argv[2])
found = str(sysconfig.get_config_var("SOABI"))
if found != soabi:
    sys.exit("%s (Python %d.%d)" % ((found,) + tuple(sys.version_info[:2])))
if glibc and tuple(map(int, os.confstr("CS_GNU_LIBC_VERSION").split()[1].split(".")[:2])) < (2, glibc):
    sys.exit(os.confstr("CS_GNU_LIBC_VERSION"))
for name in ("venv", "sqlite3", "ssl", "zlib", "pyexpat", "ctypes"):
    try:
        __import__(name)
    except ImportError:
        sys.exit("no module " + name)
'
python=""
seen=""
for one in ${PYTHON:+"$PYTHON"} ${PYTHON:-"python$(want python)" python3}; do
    command -v "$one" >/dev/null 2>&1 || continue
    if reason=$("$one" -I -c "$fit" "$(want soabi)" "$(want glibc)" 2>&1); then
        python="$one"
        break
    fi
    seen="$one: $(printf '%s' "$reason" | tail -n 1)"
done
needs="$(want soabi) (Python $(want python)"
[ "$(want glibc)" = 0 ] || needs="$needs, glibc >= 2.$(want glibc)"
[ -n "$python" ] || fail "此安装包不适用于本机，未安装 / does not fit, nothing installed: needs $needs), found ${seen:-no python}"

# 3. Install beside what is there.
if [ -d "$prefix" ] && [ ! -e "$prefix/$mark" ] && [ -n "$(ls -A "$prefix")" ]; then
    fail "$prefix 不是空目录，也不是 sentinel 所建 / is neither empty nor made by sentinel; choose another --prefix"
fi
new=""
drop() {  # what is half made goes; what was there stays
    [ -z "$new" ] || rm -rf "$new"
    rmdir "$prefix/versions" 2>/dev/null || true
    if [ ! -e "$prefix/versions" ]; then
        rm -f "$prefix/$mark" "$prefix/install.sh"
        rmdir "$prefix" 2>/dev/null || true
    fi
}
trap drop EXIT
trap 'exit 1' HUP INT TERM

say "安装 sentinel $version 到 $prefix / installing sentinel $version into $prefix"
mkdir -p "$prefix/versions" || fail "不能写入 $prefix / cannot write to $prefix"
[ -e "$prefix/$mark" ] || printf '%s\n' "$link" >"$prefix/$mark"
new=$(mktemp -d "$prefix/versions/$version.XXXXXX")
chmod 755 "$new"
log="$new/install.log"
give_up() { fail "安装失败，原有的未动 / failed, what was there is unchanged: $1: $(tail -n 1 "$log" 2>/dev/null)"; }

"$python" -I -m venv --without-pip "$new" >"$log" 2>&1 || give_up venv
set -- "$here"/tools/pip-*.whl
# pip runs out of its wheel: Debian leaves it, and ensurepip, out of its Python. Versions and hashes are the locks'.
"$new/bin/python" -I "$1/pip" --isolated --quiet --disable-pip-version-check --no-input --no-cache-dir install \
    --no-index --find-links "$here/wheels" --no-deps --only-binary :all: --require-hashes \
    -r "$here/requirements.run.lock" -r "$here/sentinel.lock" >"$log" 2>&1 || give_up pip
mkdir -p "$new/share/doc"
set -- "$here"/README.md "$here"/CHANGELOG.md "$here"/LICENSE "$here"/VERSION "$here"/docs "$here"/rules "$here"/licences
cp -R "$@" "$new/share/doc"

# 4. It answers, or the one before stays.
answer=$("$new/bin/sentinel" --version 2>"$log") || give_up "sentinel --version"
[ "$answer" = "sentinel $version" ] || { echo "$answer" >"$log" && give_up "sentinel --version"; }
"$new/bin/sentinel" rules check >/dev/null 2>"$log" || give_up "sentinel rules check"
rm -f "$log"

before=$(readlink "$prefix/current" 2>/dev/null || true)
cp "$here/install.sh" "$prefix/install.sh"
ln -s "versions/${new##*/}" "$prefix/.current.$$"
"$python" -I -c 'import os, sys; os.replace(*sys.argv[1:])' "$prefix/.current.$$" "$prefix/current"
trap - EXIT
for one in "$prefix"/versions/*; do
    case "versions/${one##*/}" in "versions/${new##*/}" | "$before") ;; *) rm -rf "$one" ;; esac
done

command="$prefix/current/bin/sentinel"
if [ -e "$link" ] || [ -L "$link" ]; then
    is_ours || say "$link 已存在，不是本程序所建，保留 / is there and not ours, kept; use $command"
elif mkdir -p "${link%/*}" 2>/dev/null && ln -s "$command" "$link" 2>/dev/null; then
    :
else
    say "不能建立 $link / cannot make it; use $command"
fi
if is_ours; then
    case ":$PATH:" in
        *":${link%/*}:"*) command=sentinel ;;
        *) command="$link" ;;
    esac
fi

# A service that runs the version before keeps running it.
if [ -n "$before" ] && [ -n "$(serves)" ]; then
    say "已安装的服务仍在运行旧版本，请重启 / services still run the version before, restart them:" \
        "systemctl restart 'sentinel-*'"
fi

# 5. What the system lacks, and what that costs.
missing=""
if ! command -v nmap >/dev/null 2>&1; then
    missing="$missing nmap"
    say "没有 nmap：不能探测，仍可导入与评判 / no nmap: no scans; imports and judgements work"
fi
if ! fc-list :lang=zh 2>/dev/null | grep -q .; then
    missing="$missing fonts-noto-cjk"
    say "没有中文字体：本机的浏览器显示不出报告中的汉字，别的电脑上不受影响" \
        "/ no Chinese font: a browser on this machine cannot show the reports, others can"
fi
[ -z "$missing" ] || say "Debian、Ubuntu：apt-get install$missing；其他系统用同类软件包 / other systems have their like"

say "完成，数据目录未动 / done, homes were not touched。下一步 / next:"
say "  $command doctor"
say "  $command init"
say "文档 / documents: $prefix/current/share/doc；卸载 / to remove: sh $prefix/install.sh --uninstall"
