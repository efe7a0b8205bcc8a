#!/usr/bin/env bash
# Makes the objects, the real profiles and LLVM's output on Debian 12 with its packages of clang 14, 19 and 22 (for both widths:
# gcc-multilib, libclang-rt-*-dev), lld 22 and llvm 22: `bash tests/data/formats/make.sh`. The profiles in `fitted` are made by
# the test itself: README.md.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p objects real

flags="-O0 -ffreestanding -fno-asynchronous-unwind-tables -fno-ident -w"
coverage="-fprofile-instr-generate -fcoverage-mapping -fcoverage-compilation-dir=/fixture"
no_time=-mno-incremental-linker-compatible
small="-z noseparate-code -z max-page-size=64 -z common-page-size=64"
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT

# compile COMPILER TRIPLE OBJECT FLAGS…
compile() { "$1" --target="$2" $flags $coverage "${@:4}" -c demo.c -o "objects/$3"; }

# One source in every shape. The runtime's stand-in keeps linkers content; nobody runs what they make.
link_elf() { ld.lld-22 -e main --build-id=sha1 $small -s "$1" "$scratch/stand-in.o" -o "objects/$2"; }
elf() {
    compile clang-22 "$2" "$1.o" -fcoverage-mcdc "${@:3}"
    clang-22 --target="$2" $flags "${@:3}" -c stand-in.c -o "$scratch/stand-in.o"
    link_elf "objects/$1.o" "$1.exe"
}
elf elf64-le x86_64-unknown-linux-gnu
elf elf32-le i686-unknown-linux-gnu
elf elf64-be powerpc64-unknown-linux-gnu -mabi=elfv2
elf elf32-be powerpc-unknown-linux-gnu

# macho ARCH HOW FILE
macho() {
    compile clang-22 "$1-apple-macosx11" "macho-$1.o" -fcoverage-mcdc
    clang-22 --target="$1-apple-macosx11" $flags -c stand-in.c -o "$scratch/stand-in.o"
    ld64.lld-22 $2 -arch "$1" -platform_version macos 11 11 -undefined dynamic_lookup \
        "objects/macho-$1.o" "$scratch/stand-in.o" -o "objects/$3"
}
macho x86_64 -dylib macho-x86_64.dylib
macho arm64 "-e _main" macho-arm64.exe

# Slices of one source in two directories, so that what is read tells the slice.
slices=()
for arch in x86_64 arm64; do
    clang-22 --target=$arch-apple-macosx11 $flags $coverage -fcoverage-compilation-dir=/$arch -fcoverage-mcdc -c demo.c \
        -o "$scratch/$arch.o"
    slices+=("$scratch/$arch.o")
done
llvm-lipo-22 -create -segalign x86_64 8 -segalign arm64 8 "${slices[@]}" -output objects/macho-universal.o
llvm-lipo-22 -create -fat64 -segalign x86_64 8 -segalign arm64 8 "${slices[@]}" -output objects/macho-universal64.o

# coff ARCH PREFIX_OF_SYMBOLS
coff() {
    compile clang-22 "$1-pc-windows-msvc" "coff-$1.obj" -fcoverage-mcdc $no_time
    clang-22 --target="$1-pc-windows-msvc" $no_time -c stand-in.c -o "$scratch/stand-in.obj"
    for kind in dll exe; do
        if [ $kind = dll ]; then how="/dll /noentry"; else how="/entry:main /subsystem:console"; fi
        lld-link-22 $how /driver /nodefaultlib /build-id /debug:none /align:512 /filealign:512 /timestamp:0 /safeseh:no \
            /include:$2names_start /include:$2names_end /include:$2data_start /include:$2data_end \
            "$scratch/stand-in.obj" "objects/coff-$1.obj" /out:"objects/coff-$1.$kind" /implib:"$scratch/unused.lib"
    done
}
coff x86_64 ""
coff i686 _

# Older versions. Clang 14 writes raw version 8 and covmap field 5; clang 19 raw version 10 and covmap field 6.
compile clang-14 x86_64-unknown-linux-gnu clang14-elf64-le.o
compile clang-14 i686-unknown-linux-gnu clang14-elf32-le.o
compile clang-14 powerpc64-unknown-linux-gnu clang14-elf64-be.o
compile clang-14 powerpc-unknown-linux-gnu clang14-elf32-be.o
compile clang-19 x86_64-unknown-linux-gnu clang19-elf64-le.o
# What no compiler of Debian writes: covmap fields 4 and 3, which take every file name as it stands. Of clang 14's object the
# field is changed alone, which is the fourth word of the section.
covmap_field() {
    offset=$(llvm-readelf-22 --sections --wide objects/clang14-elf64-le.o | sed -n 's/.* __llvm_covmap  *PROGBITS  *[0-9a-f]* \([0-9a-f]*\) .*/\1/p')
    cp objects/clang14-elf64-le.o "objects/covmap-field$1.o"
    printf "\\x0$1" | dd of="objects/covmap-field$1.o" bs=1 seek=$((0x$offset + 12)) conv=notrunc status=none
}
covmap_field 4
covmap_field 3

# MC/DC: two programs with a function in common.
clang-22 --target=x86_64-unknown-linux-gnu $flags -c stand-in.c -o "$scratch/stand-in.o"
for program in a b; do
    clang-22 --target=x86_64-unknown-linux-gnu $flags $coverage -fcoverage-mcdc -c mcdc-$program.c -o "$scratch/program.o"
    link_elf "$scratch/program.o" mcdc-$program.exe
done

# Profiles that a process wrote: run COMPILER FLAGS SOURCE PROFILE ARGUMENTS…
run() {
    "$1" -w $coverage $2 "$3" -o "$scratch/program"
    LLVM_PROFILE_FILE="$PWD/real/$4.profraw" setarch -R "$scratch/program" "${@:5}" || true
}
run clang-22 -fcoverage-mcdc demo.c clang22-64
run clang-22 "-fcoverage-mcdc -m32" demo.c clang22-32
run clang-19 "" demo.c clang19-64
run clang-14 "" demo.c clang14-64
run clang-14 -m32 demo.c clang14-32
run clang-22 -fcoverage-mcdc mcdc-a.c mcdc-a
run clang-22 -fcoverage-mcdc mcdc-b.c mcdc-b-1
run clang-22 -fcoverage-mcdc mcdc-b.c mcdc-b-2 more

# MC/DC as LLVM 18 counted it, and raw version 9 with it. Debian has no clang 18; `pip install ziglang==0.13.0` has one (18.1.6),
# without a profile runtime, for which write-v9.c stands in.
if [ -n "${ZIG:-}" ]; then
    clang18() { $ZIG cc -target x86_64-linux-gnu -g0 -fno-sanitize=undefined $flags $coverage -fcoverage-mcdc "$@"; }
    clang18 -c mcdc-a.c -o "$scratch/program.o"
    link_elf "$scratch/program.o" clang18-mcdc-a.exe
    gcc -no-pie "$scratch/program.o" write-v9.c -o "$scratch/program"
    LLVM_PROFILE_FILE="$PWD/real/clang18-mcdc-a.profraw" setarch -R "$scratch/program" || true
fi

chmod -x objects/*
