"""Builds the extension module; everything else is in pyproject.toml."""

from setuptools import setup

setup(cffi_modules=["build_native.py:installed"],
      options={"bdist_wheel": {"py_limited_api": "cp39"}})
