/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Do two policies mean the same? Member by member, on purpose without the
 * keyword table and without the printer, so that it can judge both. Places
 * are not compared.
 */
#include <string.h>

#include "policy/policy.h"

static bool
same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool
same_ifaces(const struct policy_ifaces *a, const struct policy_ifaces *b)
{
	size_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (a->list[i].wildcard != b->list[i].wildcard ||
		    strcmp(a->list[i].name, b->list[i].name) != 0)
			return false;
	return true;
}

static bool
same_prefixes(const struct policy_prefixes *a, const struct policy_prefixes *b)
{
	size_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (a->list[i].len != b->list[i].len ||
		    !addr_equal(&a->list[i].addr, &b->list[i].addr))
			return false;
	return true;
}

static bool
same_ports(const struct policy_ports *a, const struct policy_ports *b)
{
	size_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (a->list[i].low != b->list[i].low ||
		    a->list[i].high != b->list[i].high)
			return false;
	return true;
}

static bool
same_excepts(const struct policy_except *a, size_t na,
	     const struct policy_except *b, size_t nb)
{
	size_t i;

	if (na != nb)
		return false;
	for (i = 0; i < na; i++)
		if (!same_prefixes(&a[i].from, &b[i].from) ||
		    !same_prefixes(&a[i].to, &b[i].to) ||
		    !same_ports(&a[i].ports, &b[i].ports))
			return false;
	return true;
}

static bool
same_log(const struct policy_log *a, const struct policy_log *b)
{
	return a->target == b->target && a->format == b->format &&
	       same_text(a->path, b->path);
}

static bool
same_limits(const struct policy_limit *a, size_t na,
	    const struct policy_limit *b, size_t nb)
{
	size_t i;

	if (na != nb)
		return false;
	for (i = 0; i < na; i++)
		if (a[i].kind != b[i].kind || a[i].count != b[i].count ||
		    a[i].per_client != b[i].per_client ||
		    a[i].test != b[i].test)
			return false;
	return true;
}

static bool
same_gateway(const struct policy_gateway *a, const struct policy_gateway *b)
{
	return same_ifaces(&a->inside, &b->inside) &&
	       same_ifaces(&a->outside, &b->outside) &&
	       a->families == b->families &&
	       a->families_named == b->families_named &&
	       same_excepts(a->excepts, a->n_excepts, b->excepts,
			    b->n_excepts) &&
	       a->on_failure == b->on_failure && a->on_drift == b->on_drift &&
	       a->alive_timeout_ms == b->alive_timeout_ms &&
	       a->mark_deliver == b->mark_deliver &&
	       a->mark_upstream == b->mark_upstream &&
	       a->mark_mask == b->mark_mask && a->table == b->table &&
	       a->priority == b->priority && a->zone == b->zone &&
	       a->capture_ports.low == b->capture_ports.low &&
	       a->capture_ports.high == b->capture_ports.high &&
	       a->upstream_tracking == b->upstream_tracking &&
	       a->idle_named == b->idle_named &&
	       a->forwarding == b->forwarding && same_text(a->user, b->user) &&
	       a->workers == b->workers && a->max_flows == b->max_flows &&
	       a->drain_timeout_ms == b->drain_timeout_ms &&
	       !memcmp(a->timeout_ms, b->timeout_ms, sizeof(a->timeout_ms)) &&
	       same_limits(a->limits, a->n_limits, b->limits, b->n_limits) &&
	       a->request_head_max == b->request_head_max &&
	       a->request_body_max == b->request_body_max &&
	       a->forwarded_for == b->forwarded_for &&
	       same_log(&a->log, &b->log);
}

static bool
same_reuse(const struct policy_pool *a, const struct policy_pool *b)
{
	return a->reuse == b->reuse && a->reuse_idle_ms == b->reuse_idle_ms &&
	       a->reuse_max == b->reuse_max;
}

static bool
same_pool(const struct policy_pool *a, const struct policy_pool *b)
{
	size_t i;

	if (!same_text(a->name, b->name) || a->n_nodes != b->n_nodes ||
	    a->source != b->source || a->send_proxy != b->send_proxy ||
	    !same_reuse(a, b) || !addr_equal(&a->source_addr, &b->source_addr))
		return false;
	for (i = 0; i < a->n_nodes; i++)
		if (a->nodes[i].original != b->nodes[i].original ||
		    !endpoint_equal(&a->nodes[i].endpoint,
				    &b->nodes[i].endpoint))
			return false;
	return true;
}

static bool
same_intercepts(const struct policy_service *a, const struct policy_service *b)
{
	size_t i;

	if (a->n_intercepts != b->n_intercepts)
		return false;
	for (i = 0; i < a->n_intercepts; i++) {
		const struct policy_intercept *x = &a->intercepts[i];
		const struct policy_intercept *y = &b->intercepts[i];

		if (x->proto != y->proto || x->via != y->via ||
		    !same_ports(&x->ports, &y->ports) ||
		    !same_prefixes(&x->from, &y->from) ||
		    !same_prefixes(&x->to, &y->to) ||
		    !same_ifaces(&x->on, &y->on))
			return false;
	}
	return true;
}

static bool
same_listens(const struct policy_service *a, const struct policy_service *b)
{
	size_t i;

	if (a->n_listens != b->n_listens)
		return false;
	for (i = 0; i < a->n_listens; i++)
		if (a->listens[i].proto != b->listens[i].proto ||
		    !endpoint_equal(&a->listens[i].endpoint,
				    &b->listens[i].endpoint))
			return false;
	return true;
}

static bool
same_error_pages(const struct policy_service *a, const struct policy_service *b)
{
	size_t i;

	if (a->n_error_pages != b->n_error_pages)
		return false;
	for (i = 0; i < a->n_error_pages; i++)
		if (a->error_pages[i].status != b->error_pages[i].status ||
		    !same_text(a->error_pages[i].path, b->error_pages[i].path))
			return false;
	return true;
}

static bool
same_http(const struct policy_service *a, const struct policy_service *b)
{
	return a->request_head_max == b->request_head_max &&
	       a->request_body_max == b->request_body_max &&
	       a->forwarded_for == b->forwarded_for &&
	       a->cluster_client_ip == b->cluster_client_ip &&
	       a->non_http == b->non_http && same_error_pages(a, b);
}

static bool
same_service(const struct policy_service *a, const struct policy_service *b)
{
	return same_text(a->name, b->name) && a->proto == b->proto &&
	       a->mode == b->mode && same_intercepts(a, b) &&
	       same_excepts(a->excepts, a->n_excepts, b->excepts,
			    b->n_excepts) &&
	       same_listens(a, b) && same_pool(a->pool, b->pool) &&
	       a->on_failure == b->on_failure &&
	       a->capture_port == b->capture_port &&
	       !memcmp(a->timeout_ms, b->timeout_ms, sizeof(a->timeout_ms)) &&
	       a->responses == b->responses &&
	       same_limits(a->limits, a->n_limits, b->limits, b->n_limits) &&
	       same_log(&a->log, &b->log) &&
	       a->accept_proxy == b->accept_proxy && same_http(a, b);
}

bool
policy_equal(const struct policy *a, const struct policy *b)
{
	size_t i;

	if (!same_gateway(&a->gateway, &b->gateway) ||
	    a->n_pools != b->n_pools || a->n_services != b->n_services)
		return false;
	for (i = 0; i < a->n_pools; i++)
		if (!same_pool(&a->pools[i], &b->pools[i]))
			return false;
	for (i = 0; i < a->n_services; i++)
		if (!same_service(&a->services[i], &b->services[i]))
			return false;
	return true;
}
