/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * request_703.h - the 703 bytes that parsers of HTTP are compared with.
 *
 * The request of picohttpparser's own benchmark, which others have taken over.
 */
#ifndef TESTS_HTTP_REQUEST_703_H
#define TESTS_HTTP_REQUEST_703_H

static const char request_703[] =
	"GET /wp-content/uploads/2010/03/hello-kitty-darth-vader-pink.jpg"
	" HTTP/1.1\r\n"
	"Host: www.kittyhell.com\r\n"
	"User-Agent: Mozilla/5.0 (Macintosh; U; Intel Mac OS X 10.6;"
	" ja-JP-mac; rv:1.9.2.3) Gecko/20100401 Firefox/3.6.3 Pathtraq/0.9\r\n"
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,"
	"*/*;q=0.8\r\n"
	"Accept-Language: ja,en-us;q=0.7,en;q=0.3\r\n"
	"Accept-Encoding: gzip,deflate\r\n"
	"Accept-Charset: Shift_JIS,utf-8;q=0.7,*;q=0.7\r\n"
	"Keep-Alive: 115\r\n"
	"Connection: keep-alive\r\n"
	"Cookie: wp_ozh_wsa_visits=2; wp_ozh_wsa_visit_lasttime=xxxxxxxxxx;"
	" __utma=xxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.x;"
	" __utmz=xxxxxxxxx.xxxxxxxxxx.x.x.utmccn=(referral)"
	"|utmcsr=reader.livedoor.com|utmcct=/reader/|utmcmd=referral\r\n"
	"\r\n";

_Static_assert(sizeof(request_703) - 1 == 703, "the request has 703 bytes");

#endif
