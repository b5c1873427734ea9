#!/bin/bash
# Tests the timeline in a real browser: installs what is missing (Chromium and
# Node.js from Debian, playwright-core from npm), and opens pages. Arguments, such
# as --screenshots=FOLDER, are passed to page_test.mjs. Exits with 75 if something
# is missing that cannot be installed here, so that nothing was tested.

set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"

cannot_install() {
  echo "run.sh: nothing was tested: missing, and cannot be installed here: $*" >&2
  exit 75
}

# The required programs, and the Debian packages that have them.
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
  "${install[@]}" update -qq || true  # The old lists may suffice.
  DEBIAN_FRONTEND=noninteractive "${install[@]}" install -y -qq \
    --no-install-recommends "${missing[@]}" >/dev/null ||
    cannot_install "${missing[@]}"
fi
# Debian knows certificates that the machine's owner has added; npm does not.
certificates=/etc/ssl/certs/ca-certificates.crt
if [[ -r $certificates && -z ${NODE_EXTRA_CA_CERTS:-} ]]; then
  export NODE_EXTRA_CA_CERTS=$certificates
fi
# The lock file records what was installed last: if it is the same, skip this.
if ! cmp -s package-lock.json node_modules/.installed-lock.json; then
  npm ci --no-audit --no-fund --loglevel=error ||
    cannot_install "playwright-core (npm ci)"
  cp package-lock.json node_modules/.installed-lock.json
fi

exec node page_test.mjs "$@"
