"""chrF of sentence pairs by sacrebleu, as a fixture.

    pip install sacrebleu==2.6.0
    python bench/tasks/chrf.py > crates/karat/src/task/score/fixtures/chrf.json
"""

import json

import sacrebleu
from sacrebleu.metrics import CHRF

PAIRS = [
    ("The cat sat on the mat.", ["The cat sat on the mat."]),
    ("The cat sat on the mat.", ["A cat was sitting on the mat."]),
    ("Czy mógłby mi Pan pomóc?", ["Czy mógłby Pan mi pomóc?", "Czy zechciałby mi Pan pomóc?"]),
    ("Könnten Sie mir bitte helfen?", ["Könnten Sie mir helfen, bitte?"]),
    ("Pourriez-vous m'aider ?", ["Est-ce que vous pourriez m'aider ?"]),
    ("kot", ["pies"]),
    ("a", ["ab"]),
    ("", ["something"]),
    ("something", [""]),
    ("ab", ["ab"]),
    ("żółw   żółw", ["żółw żółw żółw"]),
    ("aaaaaaaaaa", ["aaa"]),
    ("The quick brown fox jumps over the lazy dog, twice a day.", ["dog lazy the over jumps fox brown quick The"]),
]

chrf = CHRF()
rows = [
    {"hypothesis": hypothesis, "references": references, "score": chrf.sentence_score(hypothesis, references).score}
    for hypothesis, references in PAIRS
]
print(json.dumps({"sacrebleu": sacrebleu.__version__, "rows": rows}, ensure_ascii=False, indent=1))
