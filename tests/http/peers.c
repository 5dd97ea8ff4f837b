/* SPDX-License-Identifier: GPL-2.0-or-later */
/* peers.c - see peers.h. */
#include "tests/http/peers.h"

#include <dlfcn.h>
#if __has_include(<llhttp/llhttp.h>)
#include <llhttp/llhttp.h>
#define HAVE_LLHTTP
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char pico_file[] = "libh2o-evloop.so.0.13";

#ifdef HAVE_LLHTTP
struct library {
	void *handle; /* owns */
	void (*init)(llhttp_t *l, llhttp_type_t type,
		     const llhttp_settings_t *settings);
	llhttp_errno_t (*execute)(llhttp_t *l, const char *buf, size_t len);
	const char *(*name)(llhttp_errno_t error);
	const char *(*position)(const llhttp_t *l);
	llhttp_settings_t noting, stopping;
};

static int
note(llhttp_t *l, const char *at, size_t len)
{
	struct peers_llhttp *r = l->data;

	if (r->n_spans < sizeof(r->spans) / sizeof(r->spans[0]))
		r->spans[r->n_spans++] = (struct peers_span){at, len};
	return 0;
}

static int
note_body(llhttp_t *l, const char *at, size_t len)
{
	struct peers_llhttp *r = l->data;

	if (len > sizeof(r->body) - r->body_len)
		abort();
	memcpy(r->body + r->body_len, at, len);
	r->body_len += len;
	return 0;
}

static int
note_head(llhttp_t *l)
{
	((struct peers_llhttp *)l->data)->head = true;
	return 0;
}

static int
stop_at_head(llhttp_t *l)
{
	((struct peers_llhttp *)l->data)->head = true;
	return HPE_PAUSED;
}

static int
stop_at_message(llhttp_t *l)
{
	((struct peers_llhttp *)l->data)->message = true;
	return HPE_PAUSED;
}

/* A function of the library; NULL and a message without it. */
static void *
function(void *handle, const char *name)
{
	void *f = dlsym(handle, name);

	if (!f)
		fprintf(stderr, "peers: no %s: %s\n", name, dlerror());
	return f;
}

static struct library *
open_library(const char *file)
{
	struct library *l = calloc(1, sizeof(*l));

	if (!l)
		abort();
	l->handle = dlopen(file, RTLD_NOW);
	if (!l->handle) {
		fprintf(stderr, "peers: %s\n", dlerror());
		free(l);
		return NULL;
	}
	*(void **)&l->init = function(l->handle, "llhttp_init");
	*(void **)&l->execute = function(l->handle, "llhttp_execute");
	*(void **)&l->name = function(l->handle, "llhttp_errno_name");
	l->noting.on_url = note;
	l->noting.on_header_field = note;
	l->noting.on_header_value = note;
	l->stopping = l->noting;
	l->noting.on_body = note_body;
	l->noting.on_headers_complete = note_head;
	l->noting.on_message_complete = stop_at_message;
	l->stopping.on_headers_complete = stop_at_head;
	*(void **)&l->position = function(l->handle, "llhttp_get_error_pos");
	if (l->init && l->execute && l->name && l->position)
		return l;
	dlclose(l->handle);
	free(l);
	return NULL;
}

void
peers_llhttp(const struct peers *p, const char *buf, size_t len, bool head_only,
	     struct peers_llhttp *ret)
{
	const struct library *l = p->llhttp;
	llhttp_errno_t error;
	llhttp_t parser;

	ret->head = ret->message = false;
	ret->n_spans = ret->body_len = 0;
	l->init(&parser, HTTP_REQUEST, head_only ? &l->stopping : &l->noting);
	parser.data = ret;
	error = l->execute(&parser, buf, len);
	ret->error = error == HPE_PAUSED ? 0 : (int)error;
	ret->name = l->name(error);
	ret->end = error == HPE_OK ? buf + len : l->position(&parser);
}

static void
close_library(struct library *l)
{
	if (l)
		dlclose(l->handle);
	free(l);
}
#else
static void *
open_library(const char *file)
{
	fprintf(stderr, "peers: %s: compiled without node-llhttp\n", file);
	return NULL;
}

void
peers_llhttp(const struct peers *p, const char *buf, size_t len, bool head_only,
	     struct peers_llhttp *ret)
{
	(void)p, (void)buf, (void)len, (void)head_only, (void)ret;
	abort();
}

static void
close_library(void *l)
{
	(void)l;
}
#endif

bool
peers_open(struct peers *p, const char *llhttp)
{
	memset(p, 0, sizeof(*p));
	p->pico = dlopen(pico_file, RTLD_NOW);
	if (!p->pico) {
		fprintf(stderr, "peers: %s\n", dlerror());
		return false;
	}
	*(void **)&p->phr_request = dlsym(p->pico, "phr_parse_request");
	*(void **)&p->phr_chunked = dlsym(p->pico, "phr_decode_chunked");
	p->llhttp = open_library(llhttp);
	return p->phr_request && p->phr_chunked && p->llhttp;
}

void
peers_close(struct peers *p)
{
	close_library(p->llhttp);
	if (p->pico)
		dlclose(p->pico);
	memset(p, 0, sizeof(*p));
}
