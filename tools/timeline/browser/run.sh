#!/bin/bash
# Tests the timeline in a real browser: installs what is missing (Chromium and
# Node.js of Debian, playwright-core of npm), and opens pages. Arguments go to
# page_test.mjs, as --screenshots=FOLDER. Ends with 75 if something that is
# missing cannot be had here, and nothing was tested.

set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"

cannot_install() {
  echo "run.sh: nothing was tested: missing, and not to be had here: $*" >&2
  exit 75
}

# What has to be there, and the package of Debian that has it.
missing=()
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
[[ -x ${CHROMIUM:-/usr/bin/chromium} ]] || missing+=(chromium)
if ((${#missing[@]} > 0)); then
  install=(apt-get)
  if ((EUID != 0)); then
    if ! sudo -n true 2>/dev/null; then
      cannot_install "${missing[@]}"
    fi
    install=(sudo apt-get)
  fi
  "${install[@]}" update -qq || true  # The old lists may do.
  DEBIAN_FRONTEND=noninteractive "${install[@]}" install -y -qq \
    --no-install-recommends "${missing[@]}" >/dev/null ||
    cannot_install "${missing[@]}"
fi
# Debian knows the certificates that its owner has added; npm does not by itself.
certificates=/etc/ssl/certs/ca-certificates.crt
if [[ -r $certificates && -z ${NODE_EXTRA_CA_CERTS:-} ]]; then
  export NODE_EXTRA_CA_CERTS=$certificates
fi
# The lock file is what was installed last: nothing to do if it is the same.
if ! cmp -s package-lock.json node_modules/.installed-lock.json; then
  npm ci --no-audit --no-fund --loglevel=error ||
    cannot_install "playwright-core (npm ci)"
  cp package-lock.json node_modules/.installed-lock.json
fi

exec node page_test.mjs "$@"
