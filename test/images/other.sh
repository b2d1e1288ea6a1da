#!/usr/bin/env bash
# An image of a version that no Debian suite has: takes an image of build.sh and puts another binary in Debian's place.
# ./other.sh nginx|haproxy BINARY; a folder lib beside the binary goes along. Prints `PROXY=REFERENCE`.
set -euo pipefail
proxy=${1:?nginx or haproxy} binary=${2:?path of the binary} from=${SUITE:-trixie}
case $proxy in nginx | haproxy) ;; *) printf 'nginx or haproxy, not %s\n' "$proxy" >&2; exit 2 ;; esac
work=$(mktemp -d "${TMPDIR:-/tmp}/gms-proxy-other.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/other"
cp "$binary" "$work/other/$proxy"
chmod 755 "$work/other/$proxy"
if [ -d "$(dirname "$binary")/lib" ]; then cp -R "$(dirname "$binary")/lib" "$work/other/lib"; fi
cat >"$work/Dockerfile" <<END
FROM gms-proxy-test/$proxy:$from
USER root
COPY other /usr/local/lib/other
RUN ln -sf /usr/local/lib/other/$proxy /usr/sbin/$proxy
END
if [ "$proxy" = haproxy ]; then printf 'USER haproxy\n' >>"$work/Dockerfile"; fi
# The classic builder: it needs no further plugin and fetches nothing.
image=$(DOCKER_BUILDKIT=0 docker build --quiet "$work" 2>/dev/null) || { printf 'no image gms-proxy-test/%s:%s: run build.sh first\n' "$proxy" "$from" >&2; exit 3; }
version=$(docker run --rm --network none --entrypoint "$proxy" "$image" -v 2>&1 | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1)
[ -n "$version" ] || { printf '%s is no %s that runs here\n' "$binary" "$proxy" >&2; exit 3; }
docker tag "$image" "gms-proxy-test/$proxy:$version"
printf '%s=gms-proxy-test/%s:%s\n' "$proxy" "$proxy" "$version"
