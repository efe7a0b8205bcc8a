/* Stands in for the profile runtime of LLVM 18, which Debian does not have: writes raw version 9 to the file that
   LLVM_PROFILE_FILE names. Only what one small program needs, in compiler-rt's own layout: a header of 14 words, data records,
   counters, bitmaps, names. */
#include <stdio.h>
#include <stdlib.h>

extern const char data_start[] __asm__("__start___llvm_prf_data"), data_end[] __asm__("__stop___llvm_prf_data");
extern const char counters_start[] __asm__("__start___llvm_prf_cnts"), counters_end[] __asm__("__stop___llvm_prf_cnts");
extern const char bitmap_start[] __asm__("__start___llvm_prf_bits"), bitmap_end[] __asm__("__stop___llvm_prf_bits");
extern const char names_start[] __asm__("__start___llvm_prf_names"), names_end[] __asm__("__stop___llvm_prf_names");
int __llvm_profile_runtime;

static void put(FILE *file, const char *start, const char *end) {
    fwrite(start, 1, end - start, file);
    for (long length = end - start; length % 8 != 0; length++)
        fputc(0, file);
}

__attribute__((destructor)) static void write_profile(void) {
    FILE *file = fopen(getenv("LLVM_PROFILE_FILE"), "wb");
    unsigned long bitmap = bitmap_end - bitmap_start;
    unsigned long header[14] = {
        0xff6c70726f667281, 9, 0, (data_end - data_start) / 64, 0, (counters_end - counters_start) / 8, 0,
        bitmap, -bitmap % 8, names_end - names_start, counters_start - data_start, bitmap_start - data_start,
        (unsigned long)names_start, 1,
    };
    fwrite(header, sizeof header, 1, file);
    put(file, data_start, data_end);
    put(file, counters_start, counters_end);
    put(file, bitmap_start, bitmap_end);
    put(file, names_start, names_end);
    fclose(file);
}
