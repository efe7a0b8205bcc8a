/* What the profile runtime puts into a linked file, as far as coverage data is concerned: the symbol that keeps it there, and
   in PE images something at both ends of the names and data sections. */
int __llvm_profile_runtime;
#ifdef _WIN32
#pragma section(".lprfn$A", read)
#pragma section(".lprfn$Z", read)
#pragma section(".lprfd$A", read, write)
#pragma section(".lprfd$Z", read, write)
__attribute__((section(".lprfn$A"))) const char names_start = 0;
__attribute__((section(".lprfn$Z"))) const char names_end = 0;
#ifdef _WIN64
typedef long long record[8];
#else
typedef long long record[6];
#endif
__attribute__((section(".lprfd$A"), aligned(8))) record data_start = {0};
__attribute__((section(".lprfd$Z"), aligned(8))) record data_end = {0};
#endif
