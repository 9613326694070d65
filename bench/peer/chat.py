#!/usr/bin/env python3
"""Renders conversations with chat templates, by llama-server and by transformers.

usage: bench/peer/chat.py LLAMA_SERVER MODEL.gguf FOLDER [TEMPLATES]

Reads FOLDER/conversations.jsonl and every TEMPLATES/*.jinja (default: FOLDER/templates), writes
FOLDER/rendered.json: template -> conversation -> {"llama_server": TEXT, "transformers": TEXT}.
Where a tool refuses or fails there is {"error": ...} instead of the text. llama-server strips the
token that begins a text where the vocabulary adds it; transformers does not.

The server: bench/peer/build.sh's tree, cmake target llama-server, -DLLAMA_BUILD_SERVER=ON
-DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF. Needs transformers and jinja2 (versions are
written into the file).
"""

import copy
import datetime
import json
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.request

import jinja2
import transformers
from transformers.utils.chat_template_utils import render_jinja_template

PORT = 18437
URL = f"http://127.0.0.1:{PORT}"
BOS, EOS = "<bos>", "<eos>"  # of the lab's vocabulary


def start_server(server, model, template):
    command = [server, "-m", model, "--jinja", "--chat-template-file", str(template), "-c", "512",
               "-t", "1", "--host", "127.0.0.1", "--port", str(PORT), "--no-warmup",
               # Else a last message of the assistant is taken for one to go on with.
               "--no-prefill-assistant"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    for _ in range(300):
        if process.poll() is not None:
            return None, process.stderr.read().strip().splitlines()[-3:]
        try:
            urllib.request.urlopen(URL + "/health", timeout=1).read()
            return process, None
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    process.kill()
    return None, ["no answer"]


def by_server(conversation):
    body = {key: value for key, value in conversation.items() if key != "name"}
    body.setdefault("add_generation_prompt", True)
    request = urllib.request.Request(URL + "/apply-template", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    try:
        return json.load(urllib.request.urlopen(request, timeout=30))["prompt"]
    except urllib.error.HTTPError as error:
        return {"error": json.load(error)["error"]["message"][:300]}


def with_objects(messages):
    """Arguments of tool calls as transformers documents them: objects, not JSON in a string."""
    messages = copy.deepcopy(messages)
    for message in messages:
        for call in message.get("tool_calls", []):
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    return messages


def by_transformers(template, conversation):
    def render(messages):
        for message in messages:
            if message.get("content") is None:
                message["content"] = ""
        texts, _ = render_jinja_template(
            conversations=[messages], tools=conversation.get("tools"), chat_template=template,
            add_generation_prompt=conversation.get("add_generation_prompt", True),
            bos_token=BOS, eos_token=EOS, **conversation.get("chat_template_kwargs", {}))
        return texts[0]

    try:
        return render(with_objects(conversation["messages"]))
    except Exception as error:  # whatever a template raises is the answer
        if any("tool_calls" in message for message in conversation["messages"]):
            try:
                return render(copy.deepcopy(conversation["messages"]))
            except Exception:
                pass
        return {"error": f"{type(error).__name__}: {error}"[:300]}


def main():
    server, model, folder = sys.argv[1:4]
    folder = pathlib.Path(folder)
    templates = pathlib.Path(sys.argv[4]) if len(sys.argv) > 4 else folder / "templates"
    conversations = [json.loads(line) for line in (folder / "conversations.jsonl").read_text().splitlines()]
    rendered = {}
    for path in sorted(templates.glob("*.jinja")):
        template = path.read_text()
        process, failure = start_server(server, model, path)
        texts = {}
        for conversation in conversations:
            texts[conversation["name"]] = {
                "llama_server": by_server(conversation) if process else {"error": failure},
                "transformers": by_transformers(template, conversation),
            }
        rendered[path.stem] = texts
        if process:
            process.terminate()
            process.wait()
        print(path.stem, file=sys.stderr)
    answer = {
        "llama_server": "llama-cpp-python 0.3.36's llama.cpp (0c1e57098)",
        "transformers": transformers.__version__,
        "jinja2": jinja2.__version__,
        # Some templates write the date.
        "date": datetime.date.today().isoformat(),
        "rendered": rendered,
    }
    (folder / "rendered.json").write_text(json.dumps(answer, ensure_ascii=False, indent=1) + "\n")


main()
