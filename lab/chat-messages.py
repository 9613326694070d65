#!/usr/bin/env python3
"""Makes chat-messages.jsonl from chat-heldout.jsonl: conversations for `karat fidelity --chat`.

usage: lab/chat-messages.py < lab/chat-heldout.jsonl > lab/chat-messages.jsonl

The assistant's turn is the expected answer, with the reference's thoughts in front as the lab's
models write them; the lab's template drops thoughts from history, so they stand in the content.
"""

import json
import sys

for line in sys.stdin:
    task = json.loads(line)
    content = f"<|channel>thought\n{task['reference_thinking']}\n<channel|>{task['expected']}"
    conversation = {
        "id": task["id"],
        "messages": [*task["messages"], {"role": "assistant", "content": content}],
        "chat_template_kwargs": {"enable_thinking": True},
    }
    print(json.dumps(conversation, ensure_ascii=False))
