#!/bin/sh
# Downloads Debian packages, and what they need that this machine lacks, and unpacks them into a folder.
# Nothing is installed, configured or started, and no root is needed; the mirrors are those of the machine's own apt.
#
#   sh scripts/unpack.sh DIR PACKAGE...
#   sh scripts/unpack.sh ~/native nginx redis-server openssh-server mosquitto postgresql
#   sentinel range up --native-from ~/native
#
# The same call again does nothing. To renew, remove DIR first.
set -eu

if [ $# -lt 2 ]; then
    echo "usage: sh scripts/unpack.sh DIR PACKAGE..." >&2
    exit 2
fi
for command in apt-get dpkg; do
    command -v "$command" >/dev/null 2>&1 || {
        echo "缺少 $command：只适用于 Debian 或 Ubuntu / $command is missing: Debian or Ubuntu is needed" >&2
        exit 1
    }
done

mkdir -p "$1"
dir=$(cd "$1" && pwd)
shift
mark="$dir/.unpacked"
[ "$(cat "$mark" 2>/dev/null || true)" != "$*" ] || exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$work"  # apt downloads as a user of its own
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/packages"
chown _apt "$work/packages" 2>/dev/null || true
# What the machine knows already spares most of the download; lists that are out of date are renewed.
cp /var/lib/apt/lists/*_* "$work/lists/" 2>/dev/null || true

own_apt() {
    apt-get -qq -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" -o Debug::NoLocking=1 \
        -o Acquire::Retries=3 "$@"
}

own_apt update
# Names and versions to unpack, as apt would install them: `Inst NAME [OLD] (NEW ...)`.
own_apt -s install --no-install-recommends --no-remove "$@" >"$work/plan"
sed -n 's/^Inst \([^ ]*\) \(\[[^]]*\] \)\{0,1\}(\([^ ]*\) .*/\1=\3/p' "$work/plan" >"$work/wanted"
if [ -s "$work/wanted" ]; then
    # shellcheck disable=SC2046
    (cd "$work/packages" && own_apt download $(cat "$work/wanted"))
    for package in "$work"/packages/*.deb; do
        dpkg -x "$package" "$dir"
    done
fi
echo "$*" >"$mark"
echo "解包 $(grep -c . "$work/wanted") 个软件包到 $dir / packages unpacked: $(tr '\n' ' ' <"$work/wanted")"
