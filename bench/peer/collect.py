"""Turns the logs and files that fixtures.sh made into the JSON fixtures of karat's tests.

usage: bench/peer/collect.py target/peer-fixtures   (from the repository root)

Writes hashes.json (what llama-quantize produced), ppl.json and kld.json (what
llama-perplexity printed). Figures are the printed ones: nothing is computed here but
checksums and the counts of tensor types. Standard library only.
"""

import hashlib
import json
import re
import shlex
import struct
import sys
from pathlib import Path

OUT = Path(sys.argv[1])
QUANT = Path("crates/karat-quant/tests/fixtures")
PEER = Path("crates/karat/tests/fixtures/peer")

# ggml tensor type ids, as of the tools' tree (ggml/include/ggml.h).
GGML_TYPES = {
    0: "f32", 1: "f16", 2: "q4_0", 3: "q4_1", 6: "q5_0", 7: "q5_1", 8: "q8_0", 10: "q2_K",
    11: "q3_K", 12: "q4_K", 13: "q5_K", 14: "q6_K", 16: "iq2_xxs", 17: "iq2_xs", 18: "iq3_xxs",
    19: "iq1_s", 20: "iq4_nl", 21: "iq3_s", 22: "iq2_s", 23: "iq4_xs", 29: "iq1_m", 30: "bf16",
}
GGUF_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
GGUF_STRING, GGUF_ARRAY = 8, 9


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def described(path):
    """Path, size and checksum of one input or output."""
    data = Path(path).read_bytes()
    return {"path": str(path), "bytes": len(data), "sha256": sha256(data)}


class Gguf:
    """Header of a GGUF v3 file, read just far enough to find its tensors and their data."""

    def __init__(self, data):
        self.data, self.at = data, 0
        if data[:4] != b"GGUF":
            raise ValueError("not a GGUF file")
        self.at = 4
        self.scalar("I")
        n_tensors, n_kv = self.scalar("Q"), self.scalar("Q")
        self.kv = {}
        for _ in range(n_kv):
            key = self.string()
            self.kv[key] = self.value(self.scalar("I"))
        self.types = {}
        for _ in range(n_tensors):
            name = self.string()
            n_dims = self.scalar("I")
            self.at += 8 * n_dims
            self.types[name] = GGML_TYPES[self.scalar("I")]
            self.at += 8
        alignment = self.kv.get("general.alignment", 32)
        self.data_offset = -(-self.at // alignment) * alignment

    def scalar(self, code):
        (value,) = struct.unpack_from("<" + code, self.data, self.at)
        self.at += struct.calcsize("<" + code)
        return value

    def string(self):
        length = self.scalar("Q")
        self.at += length
        return self.data[self.at - length : self.at].decode()

    def value(self, kind):
        if kind == GGUF_STRING:
            return self.string()
        if kind == GGUF_ARRAY:
            item, length = self.scalar("I"), self.scalar("Q")
            return [self.value(item) for _ in range(length)]
        return self.scalar(GGUF_SCALARS[kind])


def logs(prefix):
    """(rest of the step's name, arguments, text) of each finished step, by name."""
    for path in sorted((OUT / "logs").glob(prefix + "*.log")):
        command, _, text = path.read_text().partition("\n")
        yield path.name[len(prefix) : -len(".log")], command.removeprefix("# "), text


def option(command, name):
    args = shlex.split(command)
    return args[args.index(name) + 1] if name in args else None


def quantized():
    for name, command, _ in logs("quantize."):
        path = OUT / "models" / f"{name}.gguf"
        data = path.read_bytes()
        header = Gguf(data)
        types = list(header.types.values())
        # fixtures.sh puts the options first, then: source, output, type, number of threads.
        *options, source, _, kind, _ = shlex.split(command)[1:]
        imatrix = option(command, "--imatrix")
        yield name, {
            "command": command,
            "type": kind,
            "options": options,
            "source": described(source),
            "imatrix": imatrix and described(imatrix),
            "bytes": len(data),
            "sha256": sha256(data),
            "data_offset": header.data_offset,
            "data_sha256": sha256(data[header.data_offset :]),
            "file_type": header.kv["general.file_type"],
            "tensor_types": {kind: types.count(kind) for kind in sorted(set(types))},
        }


def imatrices():
    for name, command, _ in logs("imatrix."):
        yield name, {"command": command, **described(option(command, "-o"))}


def measured_model(command):
    return described(option(command, "-m"))


def final_ppl(text):
    value, se = re.search(r"Final estimate: PPL = ([\d.]+) \+/- ([\d.]+)", text).groups()
    return {"ppl": float(value), "ppl_se": float(se)}


def running_ppl(text):
    found = re.findall(r"\[(\d+)\]([\d.]+),", text)
    if [int(i) for i, _ in found] != list(range(1, len(found) + 1)):
        raise ValueError("the running values are not consecutive")
    return [float(value) for _, value in found]


def perplexities():
    for name, command, text in logs("ppl."):
        model, corpus, chunks = name.rsplit(".", 2)
        running = running_ppl(text)
        yield name, {
            "command": command,
            "candidate": model,
            "corpus": corpus,
            "model": measured_model(command),
            "text": described(option(command, "-f")),
            "n_ctx": 512,
            "n_batch": int(option(command, "-b") or 2048),
            "windows": len(running),
            **final_ppl(text),
            "running_ppl": running,
        }


def with_se(text, label):
    value, se = re.search(label + r"\s*:\s*(-?[\d.naif]+) ± +(-?[\d.naif]+)", text).groups()
    return {"value": number(value), "se": number(se)}


def plain(text, label):
    return number(re.search(label + r"\s*:\s*(-?[\d.naif]+)", text).group(1))


def number(text):
    """JSON has no NaN: the peer prints one where it divides by zero, and we keep none."""
    value = float(text)
    return value if value == value else None


QUANTILES = {"p99_9": "99.9%", "p99": "99.0%", "p95": "95.0%", "p90": "90.0%", "p10": "10.0%", "p05": " 5.0%", "p01": " 1.0%", "p00_1": " 0.1%"}
DELTA_P_QUANTILES = {**QUANTILES, "p75": "75.0%", "p25": "25.0%"}


def quantiles(text, what, wanted):
    """Each line opens with the label, so that ` 5.0%` cannot match inside `95.0%`."""
    found = {key: plain(text, rf"(?m)^{re.escape(label)}\s+{what}") for key, label in wanted.items()}
    ends = {"max": "Maximum", "median": "Median", "min": "Minimum"}
    found |= {key: plain(text, rf"(?m)^{label}\s+{what}") for key, label in ends.items()}
    return found


def kld_statistics(text):
    escaped = re.escape
    return {
        "ppl": with_se(text, escaped("Mean PPL(Q)")),
        "ppl_base": with_se(text, escaped("Mean PPL(base)")),
        "ln_ppl_correlation_percent": plain(text, escaped("Cor(ln(PPL(Q)), ln(PPL(base)))")),
        "ln_ppl_ratio": with_se(text, escaped("Mean ln(PPL(Q)/PPL(base))")),
        "ppl_ratio": with_se(text, escaped("Mean PPL(Q)/PPL(base)")),
        "ppl_difference": with_se(text, escaped("Mean PPL(Q)-PPL(base)")),
        "kld_mean": with_se(text, r"Mean\s+KLD"),
        "kld_quantiles": quantiles(text, "KLD", QUANTILES),
        "delta_p_mean_percent": with_se(text, r"Mean\s+Δp"),
        "delta_p_rms_percent": with_se(text, r"RMS Δp"),
        "delta_p_quantiles_percent": quantiles(text, "Δp", DELTA_P_QUANTILES),
        "same_top_percent": with_se(text, "Same top p"),
    }


def running_kld(text):
    """The table's columns: figures over all windows so far, one value per window."""
    columns = ("ppl", "ppl_se", "ln_ppl_ratio", "ln_ppl_ratio_se", "kld_mean", "kld_mean_se",
               "delta_p_rms_percent", "delta_p_rms_percent_se", "same_top_percent", "same_top_percent_se")
    rows = []
    for line in text.splitlines():
        if re.match(r"^ *\d+ +-?[\d.naif]+ ±", line):
            values = re.findall(r"-?(?:nan|inf|\d[\d.]*)", line)
            if int(values[0]) != len(rows) + 1 or len(values) != len(columns) + 1:
                raise ValueError(f"unexpected row: {line}")
            rows.append([number(value) for value in values[1:]])
    return {column: list(values) for column, values in zip(columns, zip(*rows))}


def first_rows(path, n_rows=8):
    """Scale and smallest log-probability (exact f32, as bits) of the first rows of a logits file."""
    with open(path, "rb") as file:
        magic, n_ctx, n_vocab, n_chunk = struct.unpack("<8siii", file.read(20))
        if magic != b"_logits_":
            raise ValueError(f"{path} holds no logits")
        file.seek(20 + 4 * n_ctx * n_chunk)
        row_bytes = 2 * (2 * ((n_vocab + 1) // 2) + 4)
        rows = []
        for _ in range(n_rows):
            row = file.read(row_bytes)
            scale, lowest = struct.unpack_from("<ff", row)
            bits = struct.unpack_from("<II", row)
            codes_sha256 = sha256(row[8 : 8 + 2 * n_vocab])
            rows.append({"scale": scale, "scale_bits": bits[0], "min_log_p": lowest,
                         "min_log_p_bits": bits[1], "codes_sha256": codes_sha256})
        return {"n_ctx": n_ctx, "n_vocab": n_vocab, "windows": n_chunk, "first_rows": rows}


def references():
    for corpus, command, text in logs("kld-base."):
        path = option(command, "--kl-divergence-base")
        yield corpus, {
            "command": command,
            "model": measured_model(command),
            "text": described(option(command, "-f")),
            "logits": {**described(path), **first_rows(path)},
            **final_ppl(text),
            "running_ppl": running_ppl(text),
        }


def divergences():
    for name, command, text in logs("kld."):
        model, corpus = name.rsplit(".", 1)
        yield name, {
            "command": command,
            "candidate": model,
            "reference": "base-bf16",
            "corpus": corpus,
            "model": measured_model(command),
            **kld_statistics(text),
            "running": running_kld(text),
        }


def cpu(text):
    return re.search(r"system_info:.*?\| (CPU : .*?)\|? *$", text, re.MULTILINE).group(1).strip(" |")


def write(path, tool, body):
    if not any(body.values()):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # One line per element of the long arrays would make these files unreadable.
    text = json.dumps({"tool": tool, **body}, indent=1, ensure_ascii=False)
    text = re.sub(r"\[\s+((?:(?:-?[\d.e-]+|null),\s+)*(?:-?[\d.e-]+|null))\s+\]", lambda m: "[" + re.sub(r"\s+", " ", m[1]) + "]", text)
    path.write_text(text + "\n")
    print(f"collect.py: {path}: " + ", ".join(f"{len(part)} {key}" for key, part in body.items()), file=sys.stderr)


def main():
    tool = json.loads((OUT / "version.json").read_text())
    imatrix_log = next((text for _, _, text in logs("imatrix.")), None)
    if imatrix_log:
        tool["cpu"] = cpu(imatrix_log)
    write(QUANT / "hashes.json", tool, {"imatrix": dict(imatrices()), "quantized": dict(quantized())})
    write(PEER / "ppl.json", tool, {"runs": dict(perplexities())})
    write(PEER / "kld.json", tool, {"references": dict(references()), "runs": dict(divergences())})


main()
