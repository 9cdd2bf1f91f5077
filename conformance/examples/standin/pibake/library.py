"""Finds a checkout of ibakelab (the environment variable IBAKELAB, or the tree around this example) and makes two of its
folders importable: tests/independent, which this implementation is built upon, and conformance/adapters, whose minimal
adapter this project's adapter extends. Import it before them."""
import os
import sys

IBAKELAB = os.environ.get("IBAKELAB") or os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), *[".."] * 4))
sys.path += [os.path.join(IBAKELAB, *folder) for folder in (("tests", "independent"), ("conformance", "adapters"))]
