/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Error pages: read once, from files; given for the proxy's own errors and for those of the manager
 * when no server answers, and instead of what servers answer where that is wanted.
 */
#include "nf/proxy/proxy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "nf/common/answer.h"
#include "nf/common/read.h"

#define PAGE_BYTES_MAX (256u << 10)
#define STATUSES_MAX   16

/* --- configuration --------------------------------------------------------------- */

static int read_statuses(struct proxy *proxy, const struct sluice_conf *group,
			 struct proxy_page *page)
{
	const struct sluice_conf *list = sluice_conf_list(group, "status");
	unsigned n = list ? sluice_conf_length(list) : 0;

	if (n == 0 || n > STATUSES_MAX)
		return sluice_conf_error(group, "a page needs status = [ \"503\", … ]");
	page->status = pool_alloc(&proxy->pool, n, sizeof(*page->status));
	if (!page->status)
		return -ENOMEM;
	for (unsigned i = 0; i < n; ++i) {
		const char *text;

		if (sluice_conf_string_at(list, i, &text))
			return -EINVAL;
		if (strlen(text) != 3 || strspn(text, "0123456789") != 3 || text[0] < '4' ||
		    text[0] > '5')
			return sluice_conf_error_key(
				group, "status", "status: \"%s\" is not that of an error", text);
		page->status[page->status_count++] =
			(uint16_t)((text[0] - '0') * 100 + (text[1] - '0') * 10 + text[2] - '0');
	}
	return 0;
}

static int read_text(struct proxy *proxy, FILE *file, struct proxy_page *page)
{
	char *text = pool_alloc(&proxy->pool, PAGE_BYTES_MAX + 1, 1);
	size_t len;

	if (!text)
		return -ENOMEM;
	len = fread(text, 1, PAGE_BYTES_MAX + 1, file);
	if (ferror(file))
		return -EIO;
	if (len > PAGE_BYTES_MAX)
		return -EFBIG;
	page->text = (struct sluice_str){text, (uint32_t)len};
	return 0;
}

static int read_file(struct proxy *proxy, const struct sluice_conf *group, struct proxy_page *page)
{
	const char *path;
	int err = sluice_conf_string(group, "file", NULL, &path);
	FILE *file;

	if (err)
		return err;
	if (!path)
		return sluice_conf_error(group, "a page needs file = \"…\"");
	file = fopen(path, "re");
	err = file ? read_text(proxy, file, page) : -errno;
	if (file)
		fclose(file);
	if (err)
		return sluice_conf_error_key(group, "file", "file: %s: %s", path, strerror(-err));
	return 0;
}

static int read_page(struct proxy *proxy, const struct sluice_conf *group, struct proxy_page *page)
{
	int errors = 0;

	errors |= read_statuses(proxy, group, page);
	errors |= read_file(proxy, group, page);
	errors |= sluice_conf_string(group, "type", "text/html; charset=utf-8", &page->type);
	if (!errors && !read_is_value(page->type))
		return sluice_conf_error_key(group, "type", "type: \"%s\" is not fit for a field",
					     page->type);
	return errors ? -EINVAL : 0;
}

int proxy_read_pages(struct proxy *proxy, const struct sluice_conf *config)
{
	const struct sluice_conf *list = sluice_conf_list(config, "error_pages");
	struct proxy_pages *pages = &proxy->pages;
	int err = sluice_conf_bool(config, "intercept_errors", false, &pages->intercept);

	if (!list)
		return sluice_conf_has(config, "error_pages") ? -EINVAL : err;
	pages->count = sluice_conf_length(list);
	pages->page = pool_alloc(&proxy->pool, pages->count, sizeof(*pages->page));
	if (!pages->page)
		return -ENOMEM;
	for (unsigned i = 0; i < pages->count; ++i) {
		const struct sluice_conf *group = sluice_conf_at(list, i);

		if (!group || read_page(proxy, group, &pages->page[i]))
			err = -EINVAL;
	}
	return err;
}

/* --- answers --------------------------------------------------------------------- */

static const struct proxy_page *find(const struct proxy *proxy, uint16_t status)
{
	for (unsigned i = 0; i < proxy->pages.count; ++i)
		for (unsigned k = 0; k < proxy->pages.page[i].status_count; ++k)
			if (proxy->pages.page[i].status[k] == status)
				return &proxy->pages.page[i];
	return NULL;
}

static enum sluice_verdict give(struct proxy *proxy, struct sluice_exchange *x, uint16_t status,
				const struct proxy_page *page)
{
	++*proxy->counters.pages;
	if (sluice_respond(x, status, page->text.len) ||
	    sluice_field_add(x, "Content-Type", sluice_str(page->type)) ||
	    sluice_respond_text(x, page->text, true))
		return SLUICE_RESET;
	return SLUICE_RESPOND;
}

enum sluice_verdict proxy_error(struct proxy *proxy, struct sluice_exchange *x, uint16_t status)
{
	const struct proxy_page *page = find(proxy, status);

	return page ? give(proxy, x, status, page) : answer_status(x, status);
}

/* The manager's own errors come as heads without fields. */
bool proxy_page(struct proxy *proxy, struct sluice_exchange *x, enum sluice_verdict *verdict)
{
	const struct sluice_head *head = sluice_head(x);
	const struct proxy_page *page = find(proxy, head->status);

	if (!page || (head->fields > 0 && !proxy->pages.intercept))
		return false;
	*verdict = give(proxy, x, head->status, page);
	return true;
}
