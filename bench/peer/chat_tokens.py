#!/usr/bin/env python3
"""Tokens of conversations and which of them the assistant writes, without any of karat's code.

usage: bench/peer/chat_tokens.py HF_FOLDER CHAT.jsonl > tokens.json

HF_FOLDER has the lab base's tokenizer.json and chat_template.jinja. Per line: the template (jinja2)
renders the messages before the last one as a prompt, the last message's content follows as it is,
then the token that ends a turn; the whole is tokenized at once, and a token is the assistant's where
its characters lie behind the prompt. Made with jinja2 3.1.6 and tokenizers 0.23.3.
"""

import json
import pathlib
import sys

import jinja2
import tokenizers


def main():
    folder, chat = map(pathlib.Path, sys.argv[1:])
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((folder / "chat_template.jinja").read_text())
    talks = []
    for line in chat.read_text().splitlines():
        conversation = json.loads(line)
        *before, last = conversation["messages"]
        prompt = template.render(messages=before, add_generation_prompt=True, bos_token="<bos>",
                                 eos_token="<eos>", **conversation.get("chat_template_kwargs", {}))
        text = prompt + last["content"] + "<turn|>"
        encoded = tokenizer.encode(text, add_special_tokens=False)
        # Offsets count characters.
        written = [index for index, (start, _) in enumerate(encoded.offsets) if start >= len(prompt)]
        talks.append({"tokens": encoded.ids, "written": written})
    print(json.dumps({"jinja2": jinja2.__version__, "tokenizers": tokenizers.__version__, "talks": talks}))


main()
