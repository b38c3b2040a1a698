#!/bin/sh
# Installs the bot, pinned by requirements.lock, into a new folder, and nothing that only builds.
# Usage: build.sh FOLDER. The Containerfile runs it; so does .ci/image, in a clean folder.
set -eu
cd "$(dirname "$0")/../.."
"${PYTHON:-python3}" -m venv "$1"
pip="$1/bin/python -m pip --disable-pip-version-check --no-input --quiet"
names() { sed -n 's/^\([a-z0-9-]*\)==.*/\1/p' "$1"; }
needed=$(names requirements.lock)
$pip install --no-deps --require-hashes -r requirements.lock -r build.lock
$pip install --no-deps --no-build-isolation .
# shellcheck disable=SC2046  # a list of names
$pip uninstall --yes $(names build.lock | grep -vxF "$needed") setuptools
$pip uninstall --yes pip
