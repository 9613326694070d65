"""Writes the seed corpus of the `header` target: small GGUF files that parse, plus one that must not.

Usage: python3 make_seeds.py    (Python 3, no packages; writes seeds/header/)
"""

import struct
from pathlib import Path

OUT = Path(__file__).parent / "seeds" / "header"
FORMATS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
STRING, ARRAY = 8, 9


def string(text):
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(data)) + data


def payload(ty, value):
    if ty == STRING:
        return string(value)
    if ty == ARRAY:
        element, items = value
        return struct.pack("<IQ", element, len(items)) + b"".join(payload(element, i) for i in items)
    return struct.pack("<" + FORMATS[ty], value)


def gguf(pairs, tensors=(), version=3, alignment=32):
    """tensors: (name, dims, type id, bytes of data)."""
    head = struct.pack("<4sIQQ", b"GGUF", version, len(tensors), len(pairs))
    for key, ty, value in pairs:
        head += string(key) + struct.pack("<I", ty) + payload(ty, value)
    data = b""
    for name, dims, ty, n_bytes in tensors:
        head += string(name) + struct.pack("<I", len(dims)) + struct.pack(f"<{len(dims)}Q", *dims)
        head += struct.pack("<IQ", ty, len(data))
        data += bytes(i * 7 % 256 for i in range(n_bytes)) + bytes(-n_bytes % alignment)
    return head + bytes(-len(head) % alignment) + data


SCALARS = [(f"t.{ty}", ty, 1) for ty in FORMATS] + [("t.string", STRING, "text")]
ARRAYS = [(f"a.{ty}", ARRAY, (ty, [0, 1, 1])) for ty in FORMATS]
NESTED = [("n", ARRAY, (ARRAY, [(4, [1, 2]), (ARRAY, [(STRING, ["x", ""])])]))]
TOKENS = [
    ("general.architecture", STRING, "llama"),
    ("tokenizer.ggml.tokens", ARRAY, (STRING, ["<s>", "a", b"\xff", "ab"])),
]
TENSORS = [
    ("f32", [4], 0, 16),
    ("f16", [2, 3], 1, 12),
    ("bf16", [2, 1, 2], 30, 8),
    ("q4_0", [64, 2], 2, 72),
    ("q8_0", [32, 1, 1, 1], 8, 34),
    ("q4_K", [256], 12, 144),
    ("nvfp4", [64], 40, 36),
]

SEEDS = {
    "empty": gguf([]),
    "values": gguf(SCALARS + ARRAYS + NESTED),
    "tensors": gguf(TOKENS, TENSORS),
    "version-2": gguf(TOKENS, TENSORS[:2], version=2),
    "alignment-64": gguf([("general.alignment", 4, 64)], TENSORS[:3], alignment=64),
    "big-endian": struct.pack(">4sIQQ", b"GGUF", 3, 0, 0),
}

for name, data in SEEDS.items():
    (OUT / f"{name}.gguf").write_bytes(data)
