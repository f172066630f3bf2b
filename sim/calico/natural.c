/*
 * Owns the natural order of names. Runs of digits compare by value: after leading zeros the longer
 * run is the greater, so no number is ever computed and none can overflow.
 */
#include "natural.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Compares the runs of digits at *a and *b and moves both behind them. */
static int compare_runs(const char **a, const char **b) {
    while (**a == '0')
        ++*a;
    while (**b == '0')
        ++*b;
    size_t size_a = 0, size_b = 0;
    while (is_digit((*a)[size_a]))
        size_a++;
    while (is_digit((*b)[size_b]))
        size_b++;
    int c = size_a != size_b ? (size_a < size_b ? -1 : 1) : memcmp(*a, *b, size_a);
    *a += size_a;
    *b += size_b;
    return c;
}

int natural_compare(const char *a, const char *b) {
    const char *whole_a = a, *whole_b = b;
    while (*a && *b) {
        if (is_digit(*a) && is_digit(*b)) {
            int c = compare_runs(&a, &b);
            if (c != 0)
                return c;
        } else if (*a != *b) {
            break;
        } else {
            a++;
            b++;
        }
    }
    if (*a != *b)
        return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
    return strcmp(whole_a, whole_b);
}
