#!/usr/bin/env bash
# Makes the models that run.py measures: a random-weight model with 262,144 tokens, and
# three quantized builds each of it and of the lab base.
#
# usage: bench/cost/models.sh [--4b] [FOLDER]        (default: target/cost)
#
# Leaves FOLDER/models/{8k,262k}-{BF16,Q8_0,Q4_K_M,Q4_0}.gguf, about 0.8 GB; with --4b also the
# set 262k-4b, a model of 3.8 billion weights for GPUs, another 16 GB. Running it again does only
# what is missing. Needs python3 with venv and pip, and target/debug/karat
# (or another binary named by KARAT).
set -euo pipefail

readonly TYPES=(Q8_0 Q4_K_M Q4_0)
readonly GGUF_VERSION=0.17.1
readonly NUMPY_VERSION=2.4.6

large=()
if [[ ${1:-} == --4b ]]; then
    large=(262k-4b)
    shift
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
out=${1:-$root/target/cost}
karat=${KARAT:-$root/target/debug/karat}
mkdir -p "$out/models"
out=$(cd "$out" && pwd)
models=$out/models

for size in 262k "${large[@]}"; do
    [[ -f $models/$size-BF16.gguf ]] && continue
    if ! "$out/venv/bin/python" -c 'import gguf, numpy' 2>/dev/null; then
        echo "models.sh: installing gguf and numpy" >&2
        python3 -m venv "$out/venv"
        "$out/venv/bin/pip" install --quiet --disable-pip-version-check \
            "gguf==$GGUF_VERSION" "numpy==$NUMPY_VERSION"
    fi
    shape=small
    [[ $size == 262k-4b ]] && shape=4b
    echo "models.sh: making $size-BF16.gguf" >&2
    "$out/venv/bin/python" "$root/bench/cost/make_model.py" --shape "$shape" \
        "$root/lab/lab-base-bf16.gguf" "$models/$size-BF16.gguf"
done
ln -sfn "$root/lab/lab-base-bf16.gguf" "$models/8k-BF16.gguf"

for size in 8k 262k "${large[@]}"; do
    for type in "${TYPES[@]}"; do
        [[ -f $models/$size-$type.gguf ]] && continue
        echo "models.sh: making $size-$type.gguf" >&2
        "$karat" --quiet quantize "$models/$size-BF16.gguf" "$models/$size-$type.gguf" --type "$type"
    done
done
