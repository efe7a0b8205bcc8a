int never_called(int x) { return x + 1; }

int entry(int x) {
  if (x > 1)
    return x - 1;
  return 2;
}
