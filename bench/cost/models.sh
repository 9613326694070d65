#!/usr/bin/env bash
# Makes the models that run.py measures: a random-weight model with 262,144 tokens, and
# three quantized builds each of it and of the lab base.
#
# usage: bench/cost/models.sh [FOLDER]        (default: target/cost)
#
# Leaves FOLDER/models/{8k,262k}-{BF16,Q8_0,Q4_K_M,Q4_0}.gguf, about 0.8 GB. Running it again
# does only what is missing. Needs python3 with venv and pip, and target/debug/karat
# (or another binary named by KARAT).
set -euo pipefail

readonly TYPES=(Q8_0 Q4_K_M Q4_0)
readonly GGUF_VERSION=0.17.1
readonly NUMPY_VERSION=2.4.6

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
out=${1:-$root/target/cost}
karat=${KARAT:-$root/target/debug/karat}
mkdir -p "$out/models"
out=$(cd "$out" && pwd)
models=$out/models

if [[ ! -f $models/262k-BF16.gguf ]]; then
    if ! "$out/venv/bin/python" -c 'import gguf, numpy' 2>/dev/null; then
        echo "models.sh: installing gguf and numpy" >&2
        python3 -m venv "$out/venv"
        "$out/venv/bin/pip" install --quiet --disable-pip-version-check \
            "gguf==$GGUF_VERSION" "numpy==$NUMPY_VERSION"
    fi
    echo "models.sh: making 262k-BF16.gguf" >&2
    "$out/venv/bin/python" "$root/bench/cost/make_model.py" \
        "$root/lab/lab-base-bf16.gguf" "$models/262k-BF16.gguf"
fi
ln -sfn "$root/lab/lab-base-bf16.gguf" "$models/8k-BF16.gguf"

for size in 8k 262k; do
    for type in "${TYPES[@]}"; do
        [[ -f $models/$size-$type.gguf ]] && continue
        echo "models.sh: making $size-$type.gguf" >&2
        "$karat" --quiet quantize "$models/$size-BF16.gguf" "$models/$size-$type.gguf" --type "$type"
    done
done
