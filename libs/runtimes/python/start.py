"""Starts bootstrap.py as a module: byte code is kept of what is imported, while what is run is compiled at every start."""
import sys

import bootstrap

# A module of the user may have the same name, and this folder is no place for his imports.
del sys.modules['bootstrap'], sys.path[0]
Context = bootstrap.Context
bootstrap.main()
