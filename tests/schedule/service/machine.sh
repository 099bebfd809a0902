# A systemd of its own as process 1 of new namespaces: sees this machine's files, none of its services, no network.
# The unit folder, /run and the control groups are private; all of it is gone when process 1 ends.
set -e
mount --make-rprivate /
mount -t tmpfs none /run
mount -t tmpfs none /etc/systemd/system
mount -t proc none /proc
umount -l /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 none /sys/fs/cgroup
for one in sysinit basic shutdown network-online multi-user; do
    printf '[Unit]\nDefaultDependencies=no\n' >"/etc/systemd/system/$one.target"
done
printf '[Unit]\nDefaultDependencies=no\nAllowIsolate=yes\n' >/etc/systemd/system/tiny.target
export container=sentinel-test SYSTEMD_UNIT_PATH=/etc/systemd/system
exec /lib/systemd/systemd --system --unit=tiny.target --log-target=null --show-status=no
