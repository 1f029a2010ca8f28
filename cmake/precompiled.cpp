// What this compiles is its precompiled header; a target needs a source, too.
int main() {
  return 0;
}
