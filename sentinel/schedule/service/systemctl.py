"""systemd's own tools in; what they answered out. The only place that starts them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from sentinel.errors import StoreError

_ANSWER_S = 60.0
_KEPT = ("PATH", "HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DBUS_SESSION_BUS_ADDRESS")


class Systemctl:
    """systemctl for the machine's services or for the user's own."""

    def __init__(self, *, system: bool) -> None:
        self.system = system

    @property
    def folder(self) -> Path:
        """Where an administrator's unit files lie."""
        if self.system:
            return Path("/etc/systemd/system")
        configured = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
        return Path(configured) / "systemd" / "user"

    def is_reachable(self) -> bool:
        """Tell whether a systemd answers."""
        if shutil.which("systemctl") is None:
            return False
        state = self._run("is-system-running").stdout.strip()
        return state in {"initializing", "starting", "running", "degraded", "maintenance", "stopping"}

    def do(self, *words: str) -> None:
        """Run a command.

        Raises:
            StoreError: it failed; the first line it wrote says why.
        """
        done = self._run(*words)
        if done.returncode:
            reason = next((line for line in done.stderr.splitlines() if line.strip()), f"status {done.returncode}")
            see = f"; see `systemctl{'' if self.system else ' --user'} status {words[-1]}`"
            raise StoreError(f"systemctl {' '.join(words)}: {reason.strip()}{see}")

    def ask(self, name: str, *properties: str) -> dict[str, str]:
        """Give properties of a unit; none when systemd does not answer."""
        answer = self._run("show", name, f"--property={','.join(properties)}").stdout
        return dict(line.split("=", 1) for line in answer.splitlines() if "=" in line)

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        kind = () if self.system else ("--user",)
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ} | {"LC_ALL": "C"}
        command = ["systemctl", *kind, "--no-pager", "--no-ask-password", *words]
        try:
            return subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                env=environment,
                timeout=_ANSWER_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise StoreError(f"systemctl {' '.join(words)}: does not answer ({type(error).__name__})") from error
