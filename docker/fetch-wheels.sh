#!/usr/bin/env bash
# Downloads TensorFlow's wheels into docker/wheels, for builds that can't reach a Python index.
#   docker/fetch-wheels.sh [cuda|cpu]…   default: both. Needs python3 with pip. cuda takes about 3 GB.
set -euo pipefail
cd "$(dirname "$0")/wheels"

version=$(sed -n "s/^export const version = '\([0-9.]*\)'.*/\1/p" ../../scripts/setup/wheel.mjs)
tags=(--python-version 3.11 --implementation cp --only-binary=:all:)
for platform in manylinux_2_27 manylinux_2_17 manylinux2014 manylinux1; do tags+=(--platform "${platform}_x86_64"); done
get() { python3 -m pip download --no-deps "${tags[@]}" -d . "$@"; }

for variant in "${@:-cuda cpu}"; do
  for one in $variant; do
    case $one in
      cpu) get "tensorflow-cpu==$version" ;;
      cuda)
        get "tensorflow==$version"
        # Only what the extra "and-cuda" requires, without the packages that only Python needs.
        mapfile -t beside < <(python3 ../../scripts/setup/requirements.py tensorflow-"$version"-*.whl and-cuda)
        get "${beside[@]}"
        ;;
      *) sed -n '2,3s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
  done
done
ls -lh ./*.whl
