/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/resolve.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/dns.h"
#include "dataplane/log.h"
#include "mgmt/conf/conf.h"

#define TTL_LEAST_S 1
#define TTL_MOST_S  3600
#define AGAIN_S     5 /* after no answer, or an error */

struct name {
	struct name *next;
	uint64_t due_s;
	bool fresh;  /* its answer was not taken yet */
	bool failed; /* the last time; told once */
	bool wanted; /* while a configuration is being taken over */
	struct dns_answer answer;
	char host[];
};

struct resolver {
	pthread_t thread;
	pthread_mutex_t lock; /* for all that follows */
	pthread_cond_t changed;
	bool started, ending;
	int event_fd;
	struct dns_servers servers;
	struct name *names;
};

static uint64_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec;
}

static struct name *find(const struct resolver *r, const char *host)
{
	struct name *name = r->names;

	while (name && strcasecmp(name->host, host))
		name = name->next;
	return name;
}

/* --- the thread ------------------------------------------------------------------- */

static struct name *first_due(const struct resolver *r)
{
	struct name *first = r->names;

	for (struct name *name = first; name; name = name->next)
		if (name->due_s < first->due_s)
			first = name;
	return first;
}

/* Until a name is due, or others are wanted. */
static void wait_for(struct resolver *r, const struct name *first)
{
	struct timespec until = {.tv_sec = first ? (time_t)first->due_s : 0};

	if (first)
		pthread_cond_timedwait(&r->changed, &r->lock, &until);
	else
		pthread_cond_wait(&r->changed, &r->lock);
}

static void answer_take(struct resolver *r, struct name *name, const struct dns_answer *answer,
			int rc)
{
	uint32_t ttl_s = answer->ttl_s < TTL_LEAST_S ? TTL_LEAST_S : answer->ttl_s;

	name->due_s = now_s() + (rc ? AGAIN_S : ttl_s > TTL_MOST_S ? TTL_MOST_S : ttl_s);
	if (rc && !name->failed)
		log_warn("the addresses of %s could not be found: %s", name->host, strerror(-rc));
	name->failed = rc;
	if (rc)
		return;
	name->answer = *answer;
	name->fresh = true;
	if (eventfd_write(r->event_fd, 1))
		log_warn("an answer of DNS cannot be told: %s", strerror(errno));
}

/* Asks without the lock: the name may be gone when the answer comes. */
static void ask(struct resolver *r, struct name *name)
{
	struct dns_servers servers = r->servers;
	struct dns_answer answer;
	char host[DNS_NAME_MAX];
	int rc;

	snprintf(host, sizeof(host), "%s", name->host);
	pthread_mutex_unlock(&r->lock);
	rc = dns_ask(&servers, host, &answer);
	pthread_mutex_lock(&r->lock);
	name = find(r, host);
	if (name)
		answer_take(r, name, &answer, rc);
}

static void *run(void *arg)
{
	struct resolver *r = arg;

	pthread_mutex_lock(&r->lock);
	while (!r->ending) {
		struct name *first = first_due(r);

		if (first && first->due_s <= now_s())
			ask(r, first);
		else
			wait_for(r, first);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

/* Signals are the control thread's. It is started with the first name. */
static int start(struct resolver *r)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&r->thread, NULL, run, r);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	r->started = !rc;
	return -rc;
}

/* --- the control thread ------------------------------------------------------------ */

int resolver_create(struct resolver **out)
{
	struct resolver *r = calloc(1, sizeof(*r));
	pthread_condattr_t attr;

	if (!r)
		return -ENOMEM;
	r->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->event_fd < 0) {
		free(r);
		return -EMFILE;
	}
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->changed, &attr);
	pthread_condattr_destroy(&attr);
	*out = r;
	return 0;
}

static void names_drop(struct resolver *r, bool all)
{
	struct name **at = &r->names, *name;

	while ((name = *at)) {
		if (name->wanted && !all) {
			at = &name->next;
			continue;
		}
		*at = name->next;
		free(name);
	}
}

void resolver_destroy(struct resolver *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->ending = true;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
	if (r->started)
		pthread_join(r->thread, NULL);
	names_drop(r, true);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	close(r->event_fd);
	free(r);
}

int resolver_fd(const struct resolver *r)
{
	return r->event_fd;
}

static int want(struct resolver *r, const char *host)
{
	size_t size = strlen(host) + 1;
	struct name *name = find(r, host);

	if (!name) {
		name = calloc(1, sizeof(*name) + size);
		if (!name)
			return -ENOMEM;
		memcpy(name->host, host, size);
		name->next = r->names;
		r->names = name;
	}
	name->wanted = true;
	return 0;
}

static int want_all(struct resolver *r, const struct conf *conf)
{
	int rc = 0;

	for (struct name *name = r->names; name; name = name->next)
		name->wanted = false;
	for (unsigned i = 0; i < conf->upstreams_count; i++)
		for (unsigned k = 0; !rc && k < conf->upstreams[i].servers_count; k++)
			if (conf->upstreams[i].servers[k].host)
				rc = want(r, conf->upstreams[i].servers[k].host);
	return rc;
}

int resolver_set(struct resolver *r, const struct conf *conf)
{
	int rc;

	pthread_mutex_lock(&r->lock);
	dns_servers_set(&r->servers, conf->daemon.resolvers, conf->daemon.resolvers_count);
	rc = want_all(r, conf);
	if (!rc)
		names_drop(r, false);
	if (!rc && r->names && !r->started)
		rc = start(r);
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
	return rc;
}

void resolver_take(struct resolver *r, resolver_fn *fn, void *ctx)
{
	eventfd_t ignored;

	if (eventfd_read(r->event_fd, &ignored))
		return;
	pthread_mutex_lock(&r->lock);
	for (struct name *name = r->names; name; name = name->next) {
		if (name->fresh)
			fn(name->host, name->answer.address, name->answer.count, ctx);
		name->fresh = false;
	}
	pthread_mutex_unlock(&r->lock);
}
