#include "mcdc.h"

int side(int a, int b) {
    return a && b;
}

/* Decisions within a decision, with and without a macro between them. */
int nested(int a, int b, int c, int d) {
    int result = 0;
    if ((a && b) || side(a || b, c && d))
        result = 1;
    if (MAJORITY(a, b, c) && (d ? a && c : EITHER(b, c)))
        result += 2;
    COUNT_IF(EITHER(a, b), c);
    return result;
}

/* Conditions that the compiler folds. */
int folded(int a, int b) {
    int result = (a && 1 && b) || (b && 0);
    if (sizeof(int) == 8 && (a || b))
        result = 2;
    while (1 || a)
        return result;
}

/* More conditions than LLVM 18 took, some of them negated, on several lines. */
int wide(int x) {
    int result = 0;
    if ((x & 1 || x & 2) && (x & 4 || !(x & 8)) && (x & 16 || x & 32) &&
        (x & 64 || x > 100))
        result = 1;
    for (int i = 0; i < 3 && !(x == 7 || (x == 8 && i)); i++)
        result += i;
    do {
        result++;
    } while (result < 2 && x);
    return !(result && !x) ? result : -result;
}

int never(int a, int b, int c) {
    return (a || b) && c;
}

int main(int argc, char **argv) {
    int result = 0;
    for (int x = 0; x < 13; x++)
        result += nested(x & 1, x & 2, x & 4, x & 8) + folded(x & 1, x & 2) + wide(x * 11);
    return result + shared(1, 0, argc) + shared(0, 1, 1) == 0;
}
