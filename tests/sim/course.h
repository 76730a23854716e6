/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Courses: one long transfer over a link that is known, by an algorithm that is named.
 */
#ifndef TESTS_SIM_COURSE_H
#define TESTS_SIM_COURSE_H

#include "tests/sim/sim.h"

struct sim_course;

/* NULL when there is none of that name. */
const struct sim_course *sim_course_find(const char *name);
const char *sim_course_name(const struct sim_course *course);

/* In place of what follows from the seed; after each turn; when all is done. */
void sim_course_plan(struct sim *sim, const struct sim_course *course);
void sim_course_watch(struct sim *sim, const struct sim_course *course);
void sim_course_judge(struct sim *sim, const struct sim_course *course);

#endif
