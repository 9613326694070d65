#!/usr/bin/env bash
# Builds the peer: llama.cpp's own command-line tools, from the source tree vendored
# in the PyPI source distribution of llama-cpp-python 0.3.36. Karat's tests compare
# with numbers and bytes these tools produce.
#
# usage: bench/peer/build.sh [FOLDER]        (default: target/peer)
#
# CUDA=1 builds the CUDA backend too, for this machine's GPU; use a folder of its own.
#
# Leaves FOLDER/bin/llama-{perplexity,quantize,imatrix,bench} and FOLDER/version.json.
# Running it again does only what is missing.
# Needs: python3 with pip, cmake, ninja, a C++17 compiler.
set -euo pipefail

readonly SDIST=llama_cpp_python-0.3.36
readonly SDIST_SHA256=832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e
# As the source distribution's CHANGELOG.md names it.
readonly UPSTREAM_COMMIT=0c1e57098
readonly TARGETS=(llama-perplexity llama-quantize llama-imatrix llama-bench)
CMAKE_FLAGS=(
    -DCMAKE_BUILD_TYPE=Release
    -DBUILD_SHARED_LIBS=OFF
    -DGGML_NATIVE=ON
    -DGGML_OPENMP=OFF
    -DLLAMA_OPENSSL=OFF
    -DLLAMA_BUILD_TESTS=OFF
    -DLLAMA_BUILD_EXAMPLES=OFF
    -DLLAMA_BUILD_SERVER=OFF
    -DLLAMA_BUILD_APP=OFF
    # Without these the build would label itself with the commit of whatever
    # git repository encloses the folder.
    -DLLAMA_BUILD_NUMBER=0
    "-DLLAMA_BUILD_COMMIT=$UPSTREAM_COMMIT"
)

if [[ ${CUDA:-0} == 1 ]]; then
    CMAKE_FLAGS+=(-DGGML_CUDA=ON -DCMAKE_CUDA_ARCHITECTURES=native)
fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
out=${1:-$root/target/peer}
mkdir -p "$out"
out=$(cd "$out" && pwd)
src=$out/src/$SDIST/vendor/llama.cpp

# sha256 over "sha256  path" lines of every regular file, sorted by path bytewise.
tree_sha256() {
    (cd "$1" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
}

if [[ ! -f $out/src/.unpacked ]]; then
    if [[ ! -f $out/download/$SDIST.tar.gz ]]; then
        echo "build.sh: downloading $SDIST" >&2
        # `pip download` prepares the package's metadata, which builds no C++.
        python3 -m pip download --quiet --no-deps --no-binary :all: \
            --dest "$out/download" llama-cpp-python==0.3.36
    fi
    echo "$SDIST_SHA256  $out/download/$SDIST.tar.gz" | sha256sum --check --quiet
    echo "build.sh: unpacking" >&2
    rm -rf "$out/src"
    mkdir -p "$out/src"
    tar -xzf "$out/download/$SDIST.tar.gz" -C "$out/src"
    touch "$out/src/.unpacked"
fi

echo "build.sh: configuring ${TARGETS[*]}" >&2
cmake -G Ninja -S "$src" -B "$out/build" "${CMAKE_FLAGS[@]}" >"$out/configure.log" 2>&1 ||
    { tail -n 30 "$out/configure.log" >&2; exit 1; }

echo "build.sh: building (about six minutes on two cores)" >&2
nice -n 10 cmake --build "$out/build" --parallel 2 --target "${TARGETS[@]}" >"$out/build.log" 2>&1 ||
    { tail -n 30 "$out/build.log" >&2; exit 1; }
ln -sfn build/bin "$out/bin"

cat >"$out/version.json" <<JSON
{
  "source": "PyPI sdist llama-cpp-python 0.3.36, vendor/llama.cpp",
  "sdist_sha256": "$SDIST_SHA256",
  "upstream_commit": "$UPSTREAM_COMMIT",
  "tree_sha256": "$(tree_sha256 "$src")",
  "compiler": "$(c++ --version | head -n 1)",
  "cmake_flags": "${CMAKE_FLAGS[*]}"
}
JSON
echo "build.sh: done; tools in $out/bin" >&2
cat "$out/version.json"
