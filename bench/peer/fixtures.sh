#!/usr/bin/env bash
# Makes the fixtures that karat's tests compare with, using the tools that build.sh built.
#
# usage: bench/peer/fixtures.sh [imatrix|quantize|perplexity|kld|all] [FOLDER]
#        (default: all, with the tools in target/peer)
#
# Models, logits and logs go to target/peer-fixtures; the fixtures are then written by
# collect.py to crates/karat/tests/fixtures/peer and crates/karat-quant/tests/fixtures.
# Every tool runs from the repository root with relative paths, because llama-quantize
# stores the path of the importance matrix in the file it writes.
#
# A finished step is not run again; remove target/peer-fixtures to start over. That
# happens by itself when the tools were built from another tree.
set -euo pipefail

step=${1:-all}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
peer=$(cd "${2:-$root/target/peer}" && pwd)
cd "$root"

readonly OUT=target/peer-fixtures
readonly QUANT_FIXTURES=crates/karat-quant/tests/fixtures
readonly IMATRIX=$QUANT_FIXTURES/imatrix/lab-base.gguf
readonly IMATRIX_LEGACY=$QUANT_FIXTURES/imatrix/lab-base.dat
readonly BASE=lab/lab-base-bf16.gguf
readonly QAT=lab/lab-qat-bf16.gguf
readonly TEXTS=(english code polish wikitext2-test)
readonly THREADS=2

# A run sometimes exits 0 without its last lines (the logger thread is not flushed), so
# success means that the line we need is there.
readonly ATTEMPTS=4

if ! cmp -s "$peer/version.json" "$OUT/version.json"; then
    echo "fixtures.sh: new tools, starting over" >&2
    rm -rf "$OUT"
    mkdir -p "$OUT"/{models,logits,logs}
    cp "$peer/version.json" "$OUT/version.json"
fi
mkdir -p "$QUANT_FIXTURES/imatrix" crates/karat/tests/fixtures/peer

# run ID WANTED_LINE TOOL ARGS...: runs one tool unless it was done; keeps its log, with the
# command on the first line.
run() {
    local id=$1 wanted=$2 tool=$3 log=$OUT/logs/$1.log attempt
    shift 3
    [[ -f $log ]] && return
    for ((attempt = 1; attempt <= ATTEMPTS; attempt++)); do
        echo "fixtures.sh: $id: $tool $*" >&2
        # Quoted as the shell would need it, so that the command can be run again.
        { printf "#"; printf " %q" "$tool" "$@"; echo; } >"$log.part"
        if ! "$peer/bin/$tool" "$@" >>"$log.part" 2>&1; then
            tail -n 20 "$log.part" >&2
            exit 1
        fi
        if grep -q "$wanted" "$log.part"; then
            mv "$log.part" "$log"
            return
        fi
        echo "fixtures.sh: $id: no \"$wanted\" line, attempt $attempt of $ATTEMPTS" >&2
    done
    exit 1
}

# quantize ID SOURCE TYPE [OPTIONS...]
quantize() {
    local id=$1 source=$2 type=$3
    shift 3
    run "quantize.$id" 'quant size' llama-quantize "$@" "$source" "$OUT/models/$id.gguf" "$type" "$THREADS"
}

# model NAME: the file of one of the builds that are measured.
model() {
    case $1 in
    base-bf16) echo "$BASE" ;;
    qat-bf16) echo "$QAT" ;;
    *) echo "$OUT/models/$1.gguf" ;;
    esac
}

make_imatrix() {
    local common=(-m "$BASE" -f lab/calib.txt -c 512 --chunks 80 -t "$THREADS")
    run imatrix.gguf 'Final estimate' llama-imatrix "${common[@]}" -o "$IMATRIX"
    run imatrix.dat 'Final estimate' llama-imatrix "${common[@]}" -o "$IMATRIX_LEGACY" --output-format dat
}

make_quantized() {
    local type
    for type in Q8_0 Q6_K Q5_K_M Q5_0 Q4_K_M Q4_K_S Q4_1 Q4_0 IQ4_XS IQ4_NL Q3_K_M Q3_K_S F32 F16 BF16 COPY; do
        quantize "base-$type" "$BASE" "$type"
    done
    quantize qat-Q4_0 "$QAT" Q4_0
    for type in Q4_K_M Q4_0 IQ4_XS IQ3_XXS Q2_K; do
        quantize "base-$type-imatrix" "$BASE" "$type" --imatrix "$IMATRIX"
    done
    quantize base-Q4_0-imatrix-legacy "$BASE" Q4_0 --imatrix "$IMATRIX_LEGACY"
    quantize base-Q4_0-imatrix-exclude "$BASE" Q4_0 --imatrix "$IMATRIX" --exclude-weights ffn_down --exclude-weights blk.0
    quantize base-Q4_0-imatrix-include "$BASE" Q4_0 --imatrix "$IMATRIX" --include-weights attn_
    quantize base-Q4_0-pure "$BASE" Q4_0 --pure
    quantize base-Q4_K_M-attn_v-q8_0 "$BASE" Q4_K_M --tensor-type attn_v=q8_0
    quantize base-Q4_K_M-two-patterns "$BASE" Q4_K_M --tensor-type 'blk\.[01]\.ffn_down=q5_K' --tensor-type ffn_down=iq4_nl
    quantize base-Q4_0-embd-q8_0 "$BASE" Q4_0 --token-embedding-type q8_0 --output-tensor-type q8_0
    quantize base-Q4_0-embd-f16 "$BASE" Q4_0 --token-embedding-type f16
    quantize base-Q4_0-override-kv "$BASE" Q4_0 --override-kv general.name=str:renamed --override-kv karat.answer=int:42
    quantize base-Q8_0-to-Q4_0 "$OUT/models/base-Q8_0.gguf" Q4_0 --allow-requantize
}

make_perplexity() {
    local name text
    for name in base-bf16 base-Q8_0 base-Q6_K base-Q4_K_M base-Q4_0 qat-bf16 qat-Q4_0; do
        for text in "${TEXTS[@]}"; do
            run "ppl.$name.$text.60" 'Final estimate' llama-perplexity \
                -m "$(model "$name")" -f "lab/eval-$text.txt" -c 512 --chunks 60 -t "$THREADS"
        done
    done
    for name in base-bf16 base-Q4_0; do
        run "ppl.$name.english.all" 'Final estimate' llama-perplexity \
            -m "$(model "$name")" -f lab/eval-english.txt -c 512 -t "$THREADS"
        # One window per decode: the same scores up to the order of float additions.
        run "ppl.$name.english.60-b512" 'Final estimate' llama-perplexity \
            -m "$(model "$name")" -f lab/eval-english.txt -c 512 -b 512 --chunks 60 -t "$THREADS"
    done
}

make_kld() {
    local name text logits
    for text in "${TEXTS[@]}"; do
        logits=$OUT/logits/$text.base-bf16.bin
        run "kld-base.$text" 'Final estimate' llama-perplexity \
            -m "$BASE" -f "lab/eval-$text.txt" -c 512 --chunks 20 -t "$THREADS" \
            --kl-divergence-base "$logits"
        for name in base-bf16 base-Q8_0 base-Q6_K base-Q4_K_M base-Q4_0 qat-bf16 qat-Q4_0; do
            run "kld.$name.$text" 'Same top p:' llama-perplexity \
                -m "$(model "$name")" -c 512 -t "$THREADS" \
                --kl-divergence-base "$logits" --kl-divergence
        done
    done
}

case $step in
imatrix) make_imatrix ;;
quantize) make_imatrix; make_quantized ;;
perplexity) make_imatrix; make_quantized; make_perplexity ;;
kld) make_imatrix; make_quantized; make_kld ;;
all) make_imatrix; make_quantized; make_perplexity; make_kld ;;
*) echo "usage: bench/peer/fixtures.sh [imatrix|quantize|perplexity|kld|all] [FOLDER]" >&2; exit 2 ;;
esac
python3 bench/peer/collect.py "$OUT"
