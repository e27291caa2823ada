#!/usr/bin/env bash
# Says in words what a build would otherwise stumble over: no Go, an old Go, a full disk.
#
#   deploy/check-machine.sh [MEGABYTES]
#
# MEGABYTES that must be free where the checkout, the module cache and the build cache are (default 3000).
set -euo pipefail
cd "$(dirname "$0")/.."
want_megabytes=${1:-3000}

wanted=$(awk '$1 == "go" {print $2; exit}' go.mod)
if ! command -v go >/dev/null; then
	echo "Go is not installed (or not in PATH). Triện needs Go $wanted or later: https://go.dev/dl/" >&2
	exit 1
fi
# Outside the module, so that the installed Go answers and not one that it would fetch.
here=$(cd / && GOTOOLCHAIN=local go env GOVERSION)
here=${here#go}
here=${here%% *}
if [ "$(printf '%s\n%s\n' "$wanted" "$here" | sort -V | head -n 1)" != "$wanted" ]; then
	if [ "$(go env GOTOOLCHAIN 2>/dev/null || echo local)" = local ] || [ "$(printf '1.21\n%s\n' "$here" | sort -V | head -n 1)" != 1.21 ]; then
		echo "Go $here is installed; Triện needs Go $wanted or later: https://go.dev/dl/" >&2
		exit 1
	fi
	echo "Go $here is installed; it will fetch Go $wanted, which Triện needs." >&2
fi

for folder in "$PWD" "$(go env GOMODCACHE)" "$(go env GOCACHE)" "${TMPDIR:-/tmp}"; do
	while [ ! -e "$folder" ]; do folder=$(dirname "$folder"); done
	free=$(df -Pm "$folder" | awk 'NR == 2 {print $4}')
	if [ "$free" -lt "$want_megabytes" ]; then
		echo "Only $free MB are free on the disk of $folder; $want_megabytes MB are needed." >&2
		exit 1
	fi
done
