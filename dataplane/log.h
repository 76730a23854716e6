/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The daemon's log: lines for people, to stderr, where systemd's journal takes them.
 *
 * Under the journal (JOURNAL_STREAM is set) each line begins with its level as sd-daemon(3)
 * has it, "<4>"; on a terminal it begins with the time. Any thread but a worker in its loop.
 */
#ifndef DATAPLANE_LOG_H
#define DATAPLANE_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_open(enum log_level most);
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_LEVEL_INFO, __VA_ARGS__)

#endif
