/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A table of text with aligned columns.
 *
 * Declare the columns, then give the cells row by row, each row with any number of notes,
 * which are printed below it; then print. Texts are copied; control characters in them
 * are made harmless. Running out of memory ends the program: it is a command, not a daemon.
 */
#ifndef MGMT_SLUICECTL_TABLE_H
#define MGMT_SLUICECTL_TABLE_H

#include <stdbool.h>
#include <stdio.h>

enum table_align { TABLE_LEFT, TABLE_RIGHT };

struct table;

struct table *table_create(void);
void table_free(struct table *table);

void table_column(struct table *table, const char *title, enum table_align align);
void table_cell(struct table *table, const char *text);

/* Adds "name text" to the line below the row that was begun last. */
void table_note(struct table *table, const char *name, const char *text);

/* `colour`: the title line bold, and the first column, a state, green, yellow or red. */
void table_print(const struct table *table, bool colour, FILE *out);

/* Prints `text` with control characters as \xNN. */
void print_safely(const char *text, FILE *out);

#endif
