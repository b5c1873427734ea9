#!/bin/bash
# Tests the timeline in a real browser: installs what is missing (Chromium and
# Node.js of Debian, playwright-core of npm), and opens pages. Arguments go to
# page_test.mjs, as --screenshots=FOLDER.

set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"

# What has to be there, and the package of Debian that has it.
missing=()
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
[[ -x ${CHROMIUM:-/usr/bin/chromium} ]] || missing+=(chromium)
if ((${#missing[@]} > 0)); then
  install=(apt-get)
  if ((EUID != 0)); then
    if ! sudo -n true 2>/dev/null; then
      echo "run.sh: missing: ${missing[*]}; run: sudo apt-get install ${missing[*]}" >&2
      exit 1
    fi
    install=(sudo apt-get)
  fi
  "${install[@]}" update -qq
  DEBIAN_FRONTEND=noninteractive "${install[@]}" install -y -qq \
    --no-install-recommends "${missing[@]}" >/dev/null
fi
# The lock file is what was installed last: nothing to do if it is the same.
if ! cmp -s package-lock.json node_modules/.installed-lock.json; then
  npm ci --no-audit --no-fund --loglevel=error
  cp package-lock.json node_modules/.installed-lock.json
fi

exec node page_test.mjs "$@"
