"""What is left of `os` inside the sandbox: names that the standard library's pure modules need, and
nothing that reaches outside the process. Programs are refused the import."""

import abc

name = "posix"
sep = "/"
linesep = "\n"
environ = {}


class PathLike(abc.ABC):
    """An object that stands for a path."""

    @abc.abstractmethod
    def __fspath__(self):
        """The path as text."""
        raise NotImplementedError


def fspath(path):
    """A path as text."""
    if isinstance(path, (str, bytes)):
        return path
    return type(path).__fspath__(path)


def urandom(size):
    """No bytes from the operating system."""
    raise NotImplementedError("the sandbox has no randomness of the operating system")
