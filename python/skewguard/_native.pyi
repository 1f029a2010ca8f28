"""The module that cffi makes of skewguard.h. Nothing of it is public."""

from typing import Any

ffi: Any
lib: Any
