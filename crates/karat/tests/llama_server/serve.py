"""A llama-server around one model, from the wheel xllamacpp, for the tests.

    python serve.py MODEL NAME N_CTX

Prints its address once it listens, on a port that was free. It ends when its standard input does, so
that it never outlives the test that started it.
"""

import os
import sys

import xllamacpp

model, name, n_ctx = sys.argv[1:]
params = xllamacpp.CommonParams()
params.model.path = model
params.model_alias = [name]
params.n_ctx = int(n_ctx)
params.n_parallel = 1
params.use_jinja = True
params.cpuparams.n_threads = 1
params.cpuparams_batch.n_threads = 1
params.hostnames = ["127.0.0.1"]
params.port = 0
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
# Nothing is worth waiting for: not the threads, not an answer that is being written.
os._exit(0)
