#!/usr/bin/env bash
# tools/install.sh GROUP...: installs the missing packages of these groups in packages.txt.
# Prints nothing and needs no network if nothing is missing.
set -euo pipefail

list="$(dirname "${BASH_SOURCE[0]}")/packages.txt"

installed() {  # PACKAGE [COMMAND]
  if [ -n "${2:-}" ]; then command -v "$2" >/dev/null && return; fi
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

if ! command -v dpkg-query >/dev/null; then
  echo "install: this is not Debian; install what $list names by hand" >&2
  exit 1
fi

missing=()
while read -r group package command _; do
  case " $* " in *" $group "*) ;; *) continue ;; esac
  installed "$package" "$command" || missing+=("$package")
done < <(grep -v '^#' "$list")
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "install: needs root; as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "install: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}"
