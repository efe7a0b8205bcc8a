#!/usr/bin/env python3
"""Makes of an indexed profile of version 13, as llvm-profdata 22 writes it, one of version 11: `indexed-11.py FROM TO`.

LLVM 22 reads both, and takes the bits of the older one for combinations of conditions, as LLVM 18 did. The older header lacks the
last word, the offset of names of virtual tables; every other offset moves by its size.
"""
import struct
import sys

data = bytearray(open(sys.argv[1], "rb").read())
word = lambda position: struct.unpack_from("<Q", data, position)[0]
assert word(8) == 13, word(8)
hash_offset = word(4 * 8)
offsets = [4 * 8, 5 * 8, 6 * 8, 7 * 8]
offsets += [hash_offset + 16 + 8 * bucket for bucket in range(word(hash_offset))]
for position in offsets:
    if word(position) != 0:
        struct.pack_into("<Q", data, position, word(position) - 8)
struct.pack_into("<Q", data, 8, 11)
del data[8 * 8 : 9 * 8]
open(sys.argv[2], "wb").write(data)
