/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What `systemctl status` says in one line, and what the log says at the same moments.
 *
 * The control thread's.
 */
#ifndef DATAPLANE_TELL_H
#define DATAPLANE_TELL_H

struct daemon;

/* Up, or done with reloading; `note` follows: "" or "; …". */
void tell_ready(const struct daemon *d, const char *note);
/* Stops as soon as the exchanges under way are done, or after `ms`. */
void tell_draining(unsigned ms);

#endif
