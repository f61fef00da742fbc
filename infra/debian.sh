#!/bin/sh
# Install Debian packages where apt and root are there; elsewhere say what to install.
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
else
    echo "missing: $*; install it with your system's package manager (apt-get needs root), then run make again" >&2
    exit 1
fi
