#define BOTH(a, b) ((a) && (b))
#define CLAMP(value, limit) (BOTH((value) > (limit), (limit) > 0) ? (limit) : (value))

static int sign(int value) {
    if (value < 0)
        return -1;
    return value > 0 ? 1 : 0;
}

static inline int unused(int value) {
    return value || sign(value);
}

int decide(int a, int b, int c) {
    int result = 0;
    if (a && (b || c))
        result = CLAMP(c, b);
#ifdef NEVER
    result = 2;
#endif
    for (int i = 0; i < c; i++)
        result += sign(i - 2);
    return 1 && result ? result : -1;
}

int never(int a) {
    return a > 7;
}

int main(void) {
    int sum = 0;
    for (int i = 0; i < 12; i++)
        sum += decide(i & 1, i & 2, i / 3);
    return sum == 1000;
}
