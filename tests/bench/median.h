/* SPDX-License-Identifier: BSD-3-Clause */
/* The median of what was measured: what disturbs a few rounds does not count. */
#ifndef TESTS_BENCH_MEDIAN_H
#define TESTS_BENCH_MEDIAN_H

#include <stdlib.h>

static inline int median_order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of at least one; sorts them. */
static inline double median(double *values, size_t count)
{
	qsort(values, count, sizeof(values[0]), median_order);
	return values[count / 2];
}

#endif
