/* SPDX-License-Identifier: BSD-3-Clause */
#include "mgmt/sluicectl/table.h"

#include <stdlib.h>
#include <string.h>

#define GAP  "  "
#define BOLD "\033[1m"
#define END  "\033[0m"

struct column {
	char *title;
	enum table_align align;
	size_t width;
};

struct table {
	struct column *columns;
	size_t columns_count;
	char **cells; /* row by row */
	size_t cells_count;
	char **notes; /* of each row; NULL: none */
	size_t notes_count;
};

/* --- memory and text ---------------------------------------------------------------------- */

static void *sure(void *memory)
{
	if (!memory) {
		fputs("sluicectl: out of memory\n", stderr);
		exit(1);
	}
	return memory;
}

/* Room for one more element. */
static void *grown(void *items, size_t count, size_t size)
{
	return sure(reallocarray(items, count + 1, size));
}

static bool is_control(const unsigned char *c)
{
	return *c < 0x20 || *c == 0x7f || (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0);
}

void print_safely(const char *text, FILE *out)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		if (!is_control(c))
			fputc(*c, out);
		else if (*c == 0xc2)
			fprintf(out, "\\x%02x", *++c);
		else
			fprintf(out, "\\x%02x", *c);
}

static char *safe_copy(const char *text)
{
	char *copy = NULL;
	size_t size;
	FILE *stream = sure(open_memstream(&copy, &size));

	print_safely(text, stream);
	fclose(stream);
	return sure(copy);
}

/* Characters, not bytes. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

/* --- filling -------------------------------------------------------------------------------- */

struct table *table_create(void)
{
	return sure(calloc(1, sizeof(struct table)));
}

void table_free(struct table *table)
{
	for (size_t i = 0; i < table->columns_count; i++)
		free(table->columns[i].title);
	for (size_t i = 0; i < table->cells_count; i++)
		free(table->cells[i]);
	for (size_t i = 0; i < table->notes_count; i++)
		free(table->notes[i]);
	free(table->columns);
	free(table->cells);
	free(table->notes);
	free(table);
}

void table_column(struct table *table, const char *title, enum table_align align)
{
	table->columns = grown(table->columns, table->columns_count, sizeof(*table->columns));
	table->columns[table->columns_count++] =
		(struct column){sure(strdup(title)), align, width_of(title)};
}

void table_cell(struct table *table, const char *text)
{
	struct column *column = &table->columns[table->cells_count % table->columns_count];
	char *copy = safe_copy(text);

	if (column == table->columns) {
		table->notes = grown(table->notes, table->notes_count, sizeof(*table->notes));
		table->notes[table->notes_count++] = NULL;
	}
	if (width_of(copy) > column->width)
		column->width = width_of(copy);
	table->cells = grown(table->cells, table->cells_count, sizeof(*table->cells));
	table->cells[table->cells_count++] = copy;
}

void table_note(struct table *table, const char *name, const char *text)
{
	char **note = &table->notes[table->notes_count - 1];
	char *before = *note, *copy = safe_copy(text);

	if (asprintf(note, "%s%s%s %s", before ? before : "", before ? "   " : "", name, copy) < 0)
		sure(NULL);
	free(before);
	free(copy);
}

/* --- printing --------------------------------------------------------------------------------- */

static const char *state_colour(const char *state)
{
	static const struct {
		const char *word, *colour;
	} words[] = {
		{"up", "\033[32m"},          {"running", "\033[32m"},  {"active", "\033[32m"},
		{"established", "\033[32m"}, {"down", "\033[31m"},     {"stalled", "\033[31m"},
		{"ejected", "\033[31m"},     {"draining", "\033[33m"}, {"starting", "\033[33m"},
		{"restarting", "\033[33m"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(words[i].word, state) == 0)
			return words[i].colour;
	return "";
}

static void print_spaces(size_t count, FILE *out)
{
	fprintf(out, "%*s", (int)count, "");
}

/* Nothing is printed behind the last text of a line. */
static void print_cell(const struct column *column, const char *text, const char *colour, bool last,
		       FILE *out)
{
	size_t room = column->width - width_of(text);

	if (column->align == TABLE_RIGHT)
		print_spaces(room, out);
	fprintf(out, "%s%s%s", colour, text, colour[0] ? END : "");
	if (column->align == TABLE_LEFT && !last)
		print_spaces(room, out);
	fputs(last ? "\n" : GAP, out);
}

static void print_titles(const struct table *table, bool colour, FILE *out)
{
	for (size_t i = 0; i < table->columns_count; i++)
		print_cell(&table->columns[i], table->columns[i].title, colour ? BOLD : "",
			   i + 1 == table->columns_count, out);
}

static void print_row(const struct table *table, size_t row, bool colour, FILE *out)
{
	char *const *cells = &table->cells[row * table->columns_count];

	for (size_t i = 0; i < table->columns_count; i++)
		print_cell(&table->columns[i], cells[i],
			   colour && i == 0 ? state_colour(cells[i]) : "",
			   i + 1 == table->columns_count, out);
	if (table->notes[row])
		fprintf(out, "%*s%s\n", (int)(table->columns[0].width + strlen(GAP)), "",
			table->notes[row]);
}

void table_print(const struct table *table, bool colour, FILE *out)
{
	print_titles(table, colour, out);
	for (size_t row = 0; row < table->notes_count; row++)
		print_row(table, row, colour, out);
}
