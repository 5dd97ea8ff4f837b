# SPDX-License-Identifier: GPL-2.0-or-later
#
# parser.awk - samples of tests/bench/parser as a table, and as JSON in `json`.
#
# Nanoseconds are the median and the least of all rounds: the least is what it
# takes where nothing else is done meanwhile. The ratio is of both parsers'
# times in the same round, and the median of these.

{
	if (!($1 in known)) {
		known[$1] = 1
		parsers[++n_parsers] = $1
	}
	if ($2 == "ns")
		ns[$1, ++n[$1]] = $3
	else
		instructions[$1] = $3
}

# the middle one of values[1..m]
function median(values, m,    i, k, v, sorted) {
	for (i = 1; i <= m; i++) {
		v = values[i]
		for (k = i; k > 1 && sorted[k - 1] > v; k--)
			sorted[k] = sorted[k - 1]
		sorted[k] = v
	}
	least = sorted[1]
	i = int((m + 1) / 2)
	return m % 2 ? sorted[i] : (sorted[i] + sorted[i + 1]) / 2
}

END {
	first = parsers[1]
	print "the head of a request, 703 bytes:"
	print "  parser             ns   least  instructions  " first " takes"
	printf "{\"unit\": \"ns per request of 703 bytes\", " \
		"\"samples\": [" >json
	for (p = 1; p <= n_parsers; p++) {
		name = parsers[p]
		for (i = 1; i <= n[name]; i++) {
			times[i] = ns[name, i]
			ratios[i] = ns[first, i] / ns[name, i]
		}
		ratio = median(ratios, n[name])
		ns_median = median(times, n[name])
		printf "  %-14s  %5.0f   %5.0f  %12d  %s\n", name, ns_median,
			least, instructions[name],
			(p > 1 ? sprintf("%4.2f", ratio) : "   -")
		printf "%s\n  {\"parser\": \"%s\", \"rounds\": %d, " \
			"\"ns\": %.1f, \"least_ns\": %.1f, " \
			"\"instructions\": %d, \"proxyd_takes\": %.3f}", \
			comma, name, n[name], ns_median, least, \
			instructions[name], ratio >json
		comma = ","
	}
	print "\n]}" >json
}
