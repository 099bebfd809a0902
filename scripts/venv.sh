#!/bin/sh
# Makes a virtual environment with sentinel and everything it is developed with, at the versions of requirements.lock.
set -eu

venv="$1"
python="${PYTHON:-python3}"
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    sh "$(dirname "$0")/system.sh" demo
fi
"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || {
    echo "需要 Python 3.11 至 3.13 / Python 3.11 to 3.13 is needed: make venv PYTHON=python3.12" >&2
    exit 1
}
echo "建立 $venv / making $venv"
"$python" -m venv --clear "$venv"
# The lock holds everything, so nothing is resolved: pip 23 would otherwise look past it for a package with extras.
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
