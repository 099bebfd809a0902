# A systemd of its own as process 1 of new namespaces: no service, no network and no unit of this machine's, and nothing
# of its file system can be written but one folder.
#
#   machine.sh FOLDER CGROUP    FOLDER may be written; CGROUP, a folder of cgroup2, will hold all that runs
#
# /etc is a copy, /run, /tmp and /var/tmp are new, all else is read-only; all of it is gone when process 1 ends. It must never run elsewhere:
# it mounts over /run and /etc.
set -eu
[ $$ = 1 ] || { echo "machine.sh: only as process 1 of namespaces of its own" >&2; exit 1; }
if [ "${3:-}" != inside ]; then
    [ "$(readlink /proc/self/ns/mnt)" != "$OUTSIDE" ] || { echo "machine.sh: mount namespace of the machine" >&2; exit 1; }
    echo 0 >"$2/cgroup.procs"
    exec unshare --cgroup sh "$0" "$1" "$2" inside
fi
mount --make-rprivate /
mount -t tmpfs none /run
mkdir -p /run/etc /run/keep /run/old/var /run/units /run/user /run/user/0
cp -a /etc/. /run/etc/
mount --bind "$1" /run/keep
cut -d ' ' -f 2 /proc/mounts | while read -r one; do
    one=$(printf %b "$one")
    case "$one" in /proc | /proc/* | /sys | /sys/* | /dev | /dev/* | /run | /run/*) ;; *) mount -o remount,bind,ro "$one" ;; esac
done
mount --bind /run/etc /etc
for tmp in /tmp /var/tmp; do  # systemd writes there: new ones, through which the folders of the old ones can be read
    mkdir "/run/old$tmp"
    mount --bind "$tmp" "/run/old$tmp"
    mount -t tmpfs -o mode=1777 none "$tmp"
    for one in "/run/old$tmp"/*/; do
        if [ -d "$one" ] && [ ! -L "${one%/}" ]; then
            mkdir "$tmp/$(basename "$one")"
            mount --bind "$one" "$tmp/$(basename "$one")"
        fi
    done
done
mount --bind /run/keep "$1"
mount -t proc none /proc
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
umount -l /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 none /sys/fs/cgroup
rm -rf /run/etc/systemd/system
mkdir -p /run/etc/systemd/system
for one in sysinit basic shutdown network-online multi-user; do
    printf '[Unit]\nDefaultDependencies=no\n' >"/etc/systemd/system/$one.target"
done
printf '[Unit]\nDefaultDependencies=no\nAllowIsolate=yes\n' >/etc/systemd/system/tiny.target
for one in basic shutdown default; do
    printf '[Unit]\nDefaultDependencies=no\n' >"/run/units/$one.target"
done
# No unit and no generator of this machine is read: some write to /tmp, and one cleans it.
export container=sentinel-test SYSTEMD_UNIT_PATH=/etc/systemd/system
export SYSTEMD_GENERATOR_PATH=/run/none SYSTEMD_ENVIRONMENT_GENERATOR_PATH=/run/none
: >/run/sentinel-test
exec /lib/systemd/systemd --system --unit=tiny.target --log-target=null --show-status=no
