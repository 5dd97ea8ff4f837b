# SPDX-License-Identifier: GPL-2.0-or-later
#
# peers.awk - samples of tests/bench/peers as tables, and as JSON in `json`.
#
# Medians of all rounds, and ratios of medians; the maximum is that of all
# rounds. What a unit (a request, a connection, a kilobyte, a datagram) costs:
#
#	proxy, user	processor time of the proxy's processes, and of that
#			what they spent in their own code
#	overhead	of all that takes part, also clients and server, what
#			plain routing does not need: in instructions of the
#			whole machine where they are counted, else in
#			processor time
#
# A ratio stands behind each: to plain routing, and to the better of the peers
# with whatever rules; for what is a cost, less than 1 is better.

BEGIN {
	n_works = split("requests requests-idle connections stream datagrams" \
		" http http-100k", works, " ")
	title["requests"] = "small requests over 64 kept connections"
	title["requests-idle"] = "the same, beside idle connections"
	title["http"] = "mode http: small requests over 64 kept connections"
	title["http-100k"] = "mode http: responses of 100 kB, likewise"
	title["connections"] = "new connections, 64 at a time from 32 addresses"
	title["stream"] = "bulk, one stream (a unit is a kilobyte)"
	title["datagrams"] = "small datagrams of 100 flows, answered"
	label["haproxy_rules"] = "haproxy, our rules"
	label["nginx_rules"] = "nginx, our rules"
	label["proxyd_tproxy"] = "proxyd, tproxy"
	label["haproxy"] = "haproxy, its rules"
	label["nginx"] = "nginx, its rules"
	label["routing"] = "plain routing"
	tick_ns = 1e9 / (hz ? hz : 100)
}

function put(figure, value) {
	values[$1, $2, figure, n[$1, $2]] = value
}

{
	if (!($1 in known)) {
		known[$1] = 1
		ways[++n_ways] = $1
	}
	n[$1, $2]++
	if ($2 ~ /^memory/) {
		put("bytes", $5 / $3)
		next
	}
	put("rate", $3 * 1e9 / $5)
	put("p99", $7 / 1e3)
	put("max", $9 / 1e3)
	put("proxy", $11 / $3)
	put("user", $13 * tick_ns / $3)
	put("machine", $15 / $3)
	put("user_instr", $17 / $3)
	put("machine_instr", $19 / $3)
	if ($19 > 0)
		counters = 1
}

# the middle one; of `max`, the largest
function median(way, work, figure,    i, k, v, m, sorted) {
	m = n[way, work]
	for (i = 1; i <= m; i++) {
		v = values[way, work, figure, i]
		for (k = i; k > 1 && sorted[k - 1] > v; k--)
			sorted[k] = sorted[k - 1]
		sorted[k] = v
	}
	if (figure == "max")
		return sorted[m]
	i = int((m + 1) / 2)
	return m % 2 ? sorted[i] : (sorted[i] + sorted[i + 1]) / 2
}

function is_peer(way) {
	return way !~ /^(routing|proxyd)/
}

# the better peer's; a cost is better when it is less
function best(work, figure, is_cost,    i, v, b) {
	b = ""
	for (i = 1; i <= n_ways; i++) {
		if (!is_peer(ways[i]) || !n[ways[i], work])
			continue
		v = figures[ways[i], work, figure]
		if (b == "" || (is_cost ? v < b : v > b))
			b = v
	}
	return b
}

function ratio(value, to) {
	return to == "" || to <= 0 ? "    -" : sprintf("%5.2f", value / to)
}

function number(v) {
	return sprintf(v >= 100 ? "%.0f" : "%.1f", v)
}

function collect(way, work,    k, i) {
	k = split("rate p99 max proxy user machine user_instr machine_instr",
		names, " ")
	for (i = 1; i <= k; i++)
		figures[way, work, names[i]] = median(way, work, names[i])
	what = counters ? "machine_instr" : "machine"
	plain = figures["routing", work == "requests-idle" ? "requests" : work,
		what]
	figures[way, work, "overhead"] = figures[way, work, what] - plain
	if (counters)
		figures[way, work, "user"] = figures[way, work, "user_instr"]
}

function cost(way, work, figure,    v) {
	if (way == "routing")
		return sprintf(" %9s %5s", "-", "")
	v = figures[way, work, figure]
	return sprintf(" %9s %s", number(v), ratio(v, best(work, figure, 1)))
}

function row(way, work,    r, shown) {
	r = figures[way, work, "rate"]
	shown = sprintf("%.0f", r)
	if (work == "stream")
		shown = sprintf("%.2f", r * 8 / 1e6)
	printf "  %-18s %9s %s %s%s%s%s", (way in label) ? label[way] : way,
		shown, ratio(r, figures["routing", work, "rate"]),
		ratio(r, best(work, "rate", 0)), cost(way, work, "proxy"),
		cost(way, work, "user"), cost(way, work, "overhead")
	if (work != "stream")
		printf " %7.1f %7.1f", figures[way, work, "p99"],
			figures[way, work, "max"]
	print ""
}

function json_row(way, work) {
	printf "%s\n  {\"work\": \"%s\", \"way\": \"%s\", \"rounds\": %d, " \
		"\"per_second\": %.0f, \"p99_ms\": %.3f, \"max_ms\": %.3f, " \
		"\"proxy_cpu_ns\": %.0f, \"proxy_user_%s\": %.0f, " \
		"\"overhead_%s\": %.0f}", comma, work, way, n[way, work],
		figures[way, work, "rate"], figures[way, work, "p99"],
		figures[way, work, "max"], figures[way, work, "proxy"],
		counters ? "instructions" : "ns", figures[way, work, "user"],
		counters ? "instructions" : "ns",
		figures[way, work, "overhead"] >json
	comma = ","
}

function table(work,    i, any) {
	for (i = 1; i <= n_ways; i++) {
		if (!n[ways[i], work])
			continue
		any = 1
		collect(ways[i], work)
	}
	if (!any)
		return
	printf "\n%s:\n  %-18s %9s %5s %5s %9s %5s %9s %5s %9s %5s%s\n",
		title[work], "", work == "stream" ? "Gbit/s" : "a second",
		"rout.", "peer", "proxy ns", "peer",
		counters ? "user ins." : "user ns", "peer",
		counters ? "over. ins." : "over. ns", "peer",
		work == "stream" ? "" : "  p99 ms  max ms"
	for (i = 1; i <= n_ways; i++) {
		if (!n[ways[i], work])
			continue
		row(ways[i], work)
		json_row(ways[i], work)
	}
}

function memory(work, of,    i, b) {
	printf "\nprivate memory of an idle connection%s, in bytes:\n", of
	for (i = 1; i <= n_ways; i++) {
		if (!n[ways[i], work])
			continue
		b = median(ways[i], work, "bytes")
		printf "  %-18s %9.0f\n",
			(ways[i] in label) ? label[ways[i]] : ways[i], b
		printf "%s\n  {\"work\": \"%s\", \"way\": \"%s\", " \
			"\"bytes\": %.0f}", comma, work, ways[i], b >json
		comma = ","
	}
}

END {
	if (!n_ways)
		exit 1
	printf "{\"counters\": %s, \"rows\": [",
		counters ? "true" : "false" >json
	if (!counters)
		print "The processor's counters are not to be had: " \
			"the overhead is in processor time."
	for (w = 1; w <= n_works; w++)
		table(works[w])
	memory("memory", "")
	memory("memory-http", " of mode http")
	printf "\n]}" >json
}
