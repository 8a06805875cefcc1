#!/bin/bash
# format.sh [--check]: lays out all C++ by .clang-format; --check changes nothing and fails if something would change.
# The version of clang-format is in scripts/requirements-format.txt, or is what CLANG_FORMAT names.
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$root"

if [ -z "${CLANG_FORMAT:-}" ]; then
  ensure_venv format
  CLANG_FORMAT=$cache/venv-format/bin/clang-format
fi
mode=(-i)
[ "${1:-}" != --check ] || mode=(--dry-run --Werror)
# New files too, unless they are ignored; not those that are deleted but not yet committed so.
git ls-files -z --cached --others --exclude-standard -- '*.cc' '*.h' |
  while IFS= read -r -d '' file; do [ ! -f "$file" ] || printf '%s\0' "$file"; done |
  xargs -0 -r "$CLANG_FORMAT" "${mode[@]}"
