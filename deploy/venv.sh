#!/bin/sh
# Make .venv from a Python >= 3.11 alone: hashed requirements by pip, then our own packages, editable, without network.
# Interrupted runs are simply repeated. uv is used when it is there and never needed.
set -eu

usable='import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'

find_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null 2>&1 && "$name" -c "$usable" >/dev/null 2>&1; then
            echo "$name"
            return 0
        fi
    done
    echo "slipring needs Python 3.11 or newer with its venv module (on Debian: apt-get install python3 python3-venv)." >&2
    return 1
}

# Settings of the caller's own Python would end up in ours.
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV

if ! .venv/bin/python -c 'import pip' >/dev/null 2>&1; then
    python=$(find_python)
    echo "making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
fi

pip() { .venv/bin/python -m pip --disable-pip-version-check --quiet "$@"; }

install() {
    if command -v uv >/dev/null 2>&1 && uv pip --quiet "$@" --python .venv/bin/python; then
        return 0
    fi
    pip "$@"
}

echo "installing the requirements (once)"
install install --require-hashes --only-binary=:all: -r requirements.lock

editable=""
for package in "$@"; do
    editable="$editable -e ./$package"
done
# hatchling and editables are among the requirements, so building needs no network.
# shellcheck disable=SC2086  # one word per option
install install --no-deps --no-build-isolation $editable
test -x .venv/bin/slipring

# Loads what a start loads and keeps it compiled: no start compiles 1,500 files again, whatever the caller's shell says.
env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -c 'import alembic.command, sqlalchemy.ext.asyncio
from slipring.process import installed_services
installed_services()'
