#include "mcdc.h"

int side(int a, int b) {
    return a || b;
}

int main(int argc, char **argv) {
    int result = shared(1, 1, 0) + shared(argc, 0, 0);
    if (side(argc > 1, argc > 2) || (argc && result))
        result++;
    return result == 0;
}
