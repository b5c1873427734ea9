#!/bin/bash
# Builds the documentation as a site, with a search and both colour schemes:
#
#   tools/docs/site.sh FOLDER
#
# It needs MkDocs and the theme Material, as of Debian's packages mkdocs,
# mkdocs-material and python3-pymdownx. A warning is an error. FOLDER/index.html
# is the first page; it needs no network, and works from a disk, except for the
# search, which needs a web server.

set -euo pipefail

if (($# != 1)); then
  echo "usage: tools/docs/site.sh FOLDER" >&2
  exit 2
fi
mkdir -p "$1"
out=$(realpath "$1")
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
root=$(dirname "$(dirname "$here")")
theme=${MKDOCS_MATERIAL:-/usr/share/mkdocs/themes/material}
for needed in doxygen mkdocs python3; do
  if ! command -v "$needed" >/dev/null; then
    echo "site.sh: there is no $needed: apt-get install $needed" >&2
    exit 75
  fi
done
if [[ ! -e $theme/mkdocs_theme.yml ]]; then
  echo "site.sh: there is no theme in $theme: apt-get install mkdocs-material" >&2
  exit 75
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Debian's package has the theme's files, but does not tell MkDocs of them.
mkdir -p "$work/python/material" "$work/python/material-0.dist-info"
ln -s "$theme"/* "$theme"/.icons "$work/python/material/"
touch "$work/python/material/__init__.py"
printf 'Metadata-Version: 2.1\nName: material\nVersion: 0\n' \
  >"$work/python/material-0.dist-info/METADATA"
printf '[mkdocs.themes]\nmaterial = material\n' \
  >"$work/python/material-0.dist-info/entry_points.txt"

python3 "$here/site_pages.py" "$root" "$work/pages"
# The reference's first page is ours.
doxygen -l "$work/layout.xml"
ours='<tab type="user" url="../reference.html" title="All headers"/>'
sed -i "s|<tab type=\"mainpage\".*|<tab type=\"mainpage\" visible=\"no\"/>$ours|" \
  "$work/layout.xml"
(cd "$root" && {
  cat "$here/Doxyfile"
  echo "OUTPUT_DIRECTORY = $work/pages"
  echo "LAYOUT_FILE = $work/layout.xml"
} | doxygen -)
cp "$here/site.css" "$here/site.svg" "$work/pages/"
cp "$here/mkdocs.yml" "$work/"
printf '\ndocs_dir: %s\n' "$work/pages" >>"$work/mkdocs.yml"
# Its log is long, and has what is wrong in the middle.
PYTHONPATH=$work/python mkdocs build --strict --clean \
  --config-file "$work/mkdocs.yml" --site-dir "$out" 2>"$work/log" || {
  grep -E 'WARNING|ERROR|CRITICAL|Aborted' "$work/log" >&2 || cat "$work/log" >&2
  exit 1
}
