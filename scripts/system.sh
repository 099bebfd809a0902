#!/bin/sh
# Says which system packages are missing for `demo` or `test`; as root on Debian or Ubuntu it installs them.
set -eu

missing=""
need() {  # need COMMAND PACKAGE
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

need nmap nmap
python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
if [ "${1:-demo}" = test ]; then
    need chromium chromium
    need openssl openssl
    need unshare util-linux
    need mount mount
    need setpriv util-linux
    need ip iproute2
    need nft nftables
    need systemd-analyze systemd
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || need initdb postgresql
    need fc-list fontconfig
    if ! fc-list 2>/dev/null | grep -qi "noto.*cjk"; then missing="$missing fonts-noto-cjk"; fi
fi
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "安装系统软件包 / installing:$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
    echo "缺少系统软件包 / missing packages: apt-get install$missing" >&2
    exit 1
fi
