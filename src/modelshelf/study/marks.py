"""What tells a person's own code from other code of the same name."""

from __future__ import annotations

import dataclasses
import dis
import enum
import functools
import hashlib
import inspect
import sys
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any

import numpy as np

__all__ = ["mark_of", "mark_of_text"]

_PLAIN = (bool, int, float, complex, str, bytes, type(None), enum.Enum, np.generic)
_LIBRARIES = {*sys.stdlib_module_names, "torch"}  # whose code is told by their versions


def mark_of(module: Any) -> str:
    """A hash of the code that builds a module, and of the values that this code hangs on.

    Read are the text of classes and functions (their bytecode where they were typed in), what they
    close over, what they name of their own file, the fixed arguments of a `partial`; of a module
    itself also its form, the classes of its parts, and their attributes. Weights are not: they are
    drawn anew. What is imported by name from other files is not read either.
    """
    return mark_of_text("\n".join(_Reading().of(module)))


def mark_of_text(text: str) -> str:
    """The hash of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class _Reading:
    """One walk through code and values, which reads each of them once."""

    def __init__(self) -> None:
        import torch

        self._torch = torch
        self._machinery = set(vars(torch.nn.Module()))
        self._seen: dict[int, Any] = {}  # held, so that no other gets its id

    def of(self, value: Any) -> Iterator[str]:
        """All that tells a value from others, in lines without addresses."""
        if isinstance(value, (*_PLAIN, self._torch.dtype, self._torch.device)):
            yield repr(value)
        elif isinstance(value, (tuple, list)):
            yield f"{type(value).__name__} {len(value)}"
            for each in value:
                yield from self.of(each)
        elif isinstance(value, (set, frozenset)):
            yield repr(sorted("\n".join(self.of(each)) for each in value))
        elif isinstance(value, np.ndarray) and not value.dtype.hasobject:
            yield f"{value.dtype} {value.shape} {hashlib.sha256(value.tobytes()).hexdigest()}"
        elif isinstance(value, self._torch.Tensor):
            yield from self._tensor(value)
        elif isinstance(value, CodeType):
            yield from self._code(value)
        elif id(value) in self._seen:
            yield f"again {list(self._seen).index(id(value))}"
        else:
            self._seen[id(value)] = value
            yield from self._once(value)

    def _once(self, value: Any) -> Iterator[str]:
        if isinstance(value, Mapping):
            for key, each in value.items():
                yield from self.of((key, each))
        elif isinstance(value, functools.partial):
            yield from self.of((value.func, value.args, value.keywords))
        elif inspect.ismethod(value):
            yield from self.of((value.__func__, value.__self__))
        elif isinstance(value, FunctionType):
            yield from self._function(value)
        elif isinstance(value, type):
            yield from self._class(value)
        elif isinstance(value, self._torch.nn.Module):
            yield from self._module(value)
        else:
            yield type(value).__qualname__
            if _is_own(type(value)) and (callable(value) or dataclasses.is_dataclass(value)):
                yield from self.of((type(value), getattr(value, "__dict__", {})))

    def _function(self, function: FunctionType) -> Iterator[str]:
        code = function.__code__
        yield _source(function) or "\n".join(self.of(code))
        yield from self.of((function.__defaults__, function.__kwdefaults__))
        for cell in function.__closure__ or ():
            try:
                yield from self.of(cell.cell_contents)
            except ValueError:  # nothing was put into it yet
                yield "empty"
        for name in sorted(_named(code)):
            value = function.__globals__.get(name)
            code_here = isinstance(value, (type, FunctionType))
            if code_here and value.__module__ == function.__module__:
                yield from self.of(value)
            elif isinstance(value, (*_PLAIN, tuple, list, dict)):
                yield from self.of((name, value))

    def _class(self, kind: type) -> Iterator[str]:
        yield kind.__qualname__
        if not _is_own(kind):
            return
        yield _source(kind)
        yield from self.of(kind.__bases__)
        for name, value in vars(kind).items():
            made = value.fget if isinstance(value, property) else value
            made = getattr(made, "__func__", made)  # of a static or class method
            if isinstance(made, FunctionType):
                yield from self.of(made)
            elif isinstance(made, (*_PLAIN, tuple)) and not name.startswith("__"):
                yield from self.of((name, made))

    def _module(self, module: Any) -> Iterator[str]:
        yield repr(module)
        for name, part in module.named_modules():
            yield name
            yield from self.of(type(part))
            for key, value in vars(part).items():
                if key not in self._machinery:
                    yield from self.of((key, value))
            if _is_own(type(part)):  # PyTorch's own start anew
                yield from self.of(dict(part.named_buffers(recurse=False)))

    def _tensor(self, tensor: Any) -> Iterator[str]:
        yield f"{tensor.dtype} {tuple(tensor.shape)}"
        if not isinstance(tensor, self._torch.nn.Parameter):
            numbers = tensor.detach().cpu().contiguous().reshape(-1).view(self._torch.uint8)
            yield hashlib.sha256(numbers.numpy().tobytes()).hexdigest()

    def _code(self, code: CodeType) -> Iterator[str]:
        yield f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {code.co_freevars}"
        yield from self.of(code.co_consts)


def _is_own(kind: type) -> bool:
    return kind.__module__.partition(".")[0] not in _LIBRARIES


def _source(code: Any) -> str:
    """Its text; empty where it was typed in."""
    try:
        return inspect.getsource(code)
    except (OSError, TypeError):
        return ""


def _named(code: CodeType) -> set[str]:
    """The globals that code names, and those that functions within it do."""
    found = {
        str(each.argval)
        for each in dis.get_instructions(code)
        if each.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }
    inner = (_named(each) for each in code.co_consts if isinstance(each, CodeType))
    return found.union(*inner)
