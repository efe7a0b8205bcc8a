#define BOTH(a, b) ((a) && (b))
#define EITHER(a, b) ((a) || (b))
#define MAJORITY(a, b, c) (BOTH(a, b) || BOTH(b, c) || BOTH(a, c))
#define COUNT_IF(a, b) if ((a) && (b)) result += 1

int side(int a, int b);

/* In both programs: what they show adds up. */
static inline int shared(int a, int b, int c) {
    return a && (b || c);
}

/* In both programs, and nobody calls it. */
static inline int idle(int a, int b) {
    return a || b;
}
