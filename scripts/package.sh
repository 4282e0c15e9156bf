#!/usr/bin/env bash
# package.sh   Builds a Debian package of Longshore, build/release/longshore_VERSION_ARCHITECTURE.deb, and prints its path.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install.sh build package
scripts/build.sh release longshore >&2
rm -f build/release/longshore_*.deb
(cd build/release && cpack -G DEB >/dev/null) || { echo "package.sh: cpack failed; see build/release/_CPack_Packages" >&2; exit 1; }
echo build/release/longshore_*.deb
