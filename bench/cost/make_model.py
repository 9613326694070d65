#!/usr/bin/env python3
"""Writes a GGUF model with random weights and a large vocabulary, for measuring cost.

usage: make_model.py [--n-vocab N] [--seed N] [--shape small|4b] TEMPLATE.gguf OUT.gguf

The architecture (gemma4) and the tokenizer are the template's, the lab base model; the
vocabulary is padded with unused tokens up to N, so that every text is tokenized as with
the template. Matrices BF16, embedding tied. At 262,144 tokens the shape `small` has about
158 million weights; `4b` has 3.8 billion, which is work for a GPU.
Nothing it predicts means anything, but its distributions are no degenerate ones: the
scales below give the largest of 262,144 probabilities a few per cent to a few tenths.

The same seed and numpy version give the same bytes. Needs the PyPI packages `gguf` and
`numpy`; models.sh installs them.
"""

import argparse
import dataclasses
import hashlib
import os
from pathlib import Path

import numpy
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, quants

ARCH = "gemma4"
UNUSED_TOKEN = 5  # llama_token_type: LLAMA_TOKEN_TYPE_UNUSED


@dataclasses.dataclass(frozen=True)
class Shape:
    """Sizes of a model; what is not here is the template's."""

    layers: int
    hidden: int
    feed_forward: int
    heads: int
    kv_heads: int

    # The final norm leaves a hidden state of RMS 1, so logits have a standard deviation of
    # embedding_std * sqrt(hidden) = 4 nats: below the 5 nats at which one token of 262,144
    # would take it all, and far above the noise of 4-bit weights.
    @property
    def embedding_std(self) -> float:
        return 4 / self.hidden**0.5

    # Sliding and full attention take turns, as in the template.
    @property
    def sliding(self) -> list[bool]:
        return [layer % 2 == 0 for layer in range(self.layers)]

    def metadata(self) -> dict[str, object]:
        """Metadata that this shape replaces."""
        return {
            f"{ARCH}.block_count": self.layers,
            f"{ARCH}.embedding_length": self.hidden,
            f"{ARCH}.feed_forward_length": self.feed_forward,
            f"{ARCH}.attention.head_count": self.heads,
            f"{ARCH}.attention.head_count_kv": self.kv_heads,
            f"{ARCH}.attention.sliding_window_pattern": self.sliding,
        }


SHAPES = {
    "small": Shape(layers=6, hidden=512, feed_forward=2048, heads=8, kv_heads=2),
    "4b": Shape(layers=34, hidden=2560, feed_forward=10240, heads=20, kv_heads=4),
}

# What a layer adds, against an embedding of RMS 4: the residual stream must not stay so
# near the input token that the tied output just repeats it.
POST_NORM_GAIN = 8.0
# Keeps attention scores near 2 nats; the architecture does not divide by sqrt(head size).
QK_NORM_GAIN = 0.4


def copy_metadata(
    reader: GGUFReader, writer: GGUFWriter, shape: Shape, n_vocab: int, name: str
) -> None:
    """All of the template's metadata, with the new shape and a padded vocabulary."""
    replaced = shape.metadata()
    for key, field in reader.fields.items():
        # The writer sets these itself; the label would be the template's.
        if key.startswith("GGUF.") or key in ("general.architecture", "general.size_label"):
            continue
        value = replaced.get(key, field.contents())
        if key == "general.name":
            value = name
        elif key == "tokenizer.ggml.tokens":
            value = value + [f"<cost-unused-{i}>" for i in range(len(value), n_vocab)]
        elif key == "tokenizer.ggml.scores":
            value = value + [0.0] * (n_vocab - len(value))
        elif key == "tokenizer.ggml.token_type":
            value = value + [UNUSED_TOKEN] * (n_vocab - len(value))
        element = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
        writer.add_key_value(key, value, field.types[0], element)


class Weights:
    """Adds random tensors to a writer."""

    def __init__(self, writer: GGUFWriter, seed: int) -> None:
        self.writer = writer
        self.random = numpy.random.Generator(numpy.random.PCG64(seed))

    def matrix(self, name: str, n_out: int, n_in: int, std: float | None = None) -> None:
        """BF16, [n_out, n_in]; keeps the variance of its input unless told otherwise."""
        std = n_in**-0.5 if std is None else std
        data = self.random.standard_normal((n_out, n_in), dtype=numpy.float32)
        data *= numpy.float32(std)
        bf16 = GGMLQuantizationType.BF16
        self.writer.add_tensor(name, quants.quantize(data, bf16), raw_dtype=bf16)

    def vector(self, name: str, size: int, value: float = 1.0) -> None:
        """F32, all the same."""
        self.writer.add_tensor(name, numpy.full(size, value, dtype=numpy.float32))


def add_layer(weights: Weights, reader: GGUFReader, shape: Shape, layer: int) -> None:
    suffix = "_swa" if shape.sliding[layer] else ""
    head = reader.fields[f"{ARCH}.attention.key_length{suffix}"].contents()

    def name(tensor: str) -> str:
        return f"blk.{layer}.{tensor}.weight"

    weights.vector(name("attn_norm"), shape.hidden)
    weights.matrix(name("attn_q"), shape.heads * head, shape.hidden)
    weights.matrix(name("attn_k"), shape.kv_heads * head, shape.hidden)
    weights.matrix(name("attn_v"), shape.kv_heads * head, shape.hidden)
    weights.vector(name("attn_q_norm"), head, QK_NORM_GAIN)
    weights.vector(name("attn_k_norm"), head, QK_NORM_GAIN)
    weights.matrix(name("attn_output"), shape.hidden, shape.heads * head)
    weights.vector(name("post_attention_norm"), shape.hidden, POST_NORM_GAIN)
    weights.vector(name("ffn_norm"), shape.hidden)
    weights.matrix(name("ffn_gate"), shape.feed_forward, shape.hidden)
    weights.matrix(name("ffn_up"), shape.feed_forward, shape.hidden)
    weights.matrix(name("ffn_down"), shape.hidden, shape.feed_forward)
    weights.vector(name("post_ffw_norm"), shape.hidden, POST_NORM_GAIN)
    weights.vector(name("layer_output_scale"), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("template", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--n-vocab", type=int, default=262_144)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shape", choices=SHAPES, default="small")
    args = parser.parse_args()
    shape = SHAPES[args.shape]

    reader = GGUFReader(args.template)
    n_template = len(reader.fields["tokenizer.ggml.tokens"].data)
    if args.n_vocab < n_template:
        parser.error(f"--n-vocab {args.n_vocab} is less than the template's {n_template} tokens")

    partial = args.out.with_suffix(".gguf.tmp")
    writer = GGUFWriter(partial, ARCH)
    name = f"cost-{args.n_vocab}-seed{args.seed}"
    if args.shape != "small":
        name += f"-{args.shape}"
    copy_metadata(reader, writer, shape, args.n_vocab, name)
    rope_freqs = next(tensor for tensor in reader.tensors if tensor.name == "rope_freqs.weight")
    writer.add_tensor(rope_freqs.name, rope_freqs.data)
    weights = Weights(writer, args.seed)
    weights.matrix("token_embd.weight", args.n_vocab, shape.hidden, shape.embedding_std)
    for layer in range(shape.layers):
        add_layer(weights, reader, shape, layer)
    weights.vector("output_norm.weight", shape.hidden)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(partial, args.out)

    with args.out.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    print(f"{digest}  {args.out} (numpy {numpy.__version__})")


if __name__ == "__main__":
    main()
