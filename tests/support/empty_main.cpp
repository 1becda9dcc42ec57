// The program that precompiled headers of tests belong to; never run.
int main() { return 0; }
