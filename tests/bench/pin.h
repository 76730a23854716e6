/* SPDX-License-Identifier: BSD-3-Clause */
/* Which CPU a program that measures runs on. */
#ifndef TESTS_BENCH_PIN_H
#define TESTS_BENCH_PIN_H

#include <errno.h>
#include <sched.h>
#include <stdio.h>

/* The calling thread, to that CPU alone. 0 or an errno. */
static inline int pin(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	return sched_setaffinity(0, sizeof(cpus), &cpus) ? errno : 0;
}

/* It goes on where it is, if it must. */
static inline void pin_or_say(int cpu)
{
	if (pin(cpu))
		perror("sched_setaffinity");
}

#endif
