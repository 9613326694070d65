"""`io` inside the sandbox: streams in memory; there are no files."""

from _io import (
    DEFAULT_BUFFER_SIZE,
    BlockingIOError,
    BufferedRandom,
    BufferedReader,
    BufferedRWPair,
    BufferedWriter,
    BytesIO,
    IncrementalNewlineDecoder,
    StringIO,
    TextIOWrapper,
    UnsupportedOperation,
    _BufferedIOBase as BufferedIOBase,
    _IOBase as IOBase,
    _RawIOBase as RawIOBase,
    _TextIOBase as TextIOBase,
    open,
)

SEEK_SET = 0
SEEK_CUR = 1
SEEK_END = 2
