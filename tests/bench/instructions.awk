# SPDX-License-Identifier: GPL-2.0-or-later
#
# instructions.awk - what tests/bench/instructions found as a table, and as
# JSON in `json`. The ratio is to the better of the peers; less is better.

{
	if (!($1 in known)) {
		known[$1] = 1
		ways[++n_ways] = $1
	}
	spent[$1, $2] = $4
	calls[$1, $2] = $6
	if ($1 != "proxyd" && (!($2 in best) || $4 < best[$2]))
		best[$2] = $4
}

function cell(way, work,    of) {
	if (!((way, work) in spent))
		return sprintf("%20s", "-")
	of = "    -"
	if (best[work] > 0)
		of = sprintf("%5.2f", spent[way, work] / best[work])
	return sprintf("%7d %s %6.1f", spent[way, work], of, calls[way, work])
}

END {
	if (!n_ways)
		exit 1
	n_works = split("requests requests-idle requests-http connections " \
		"datagrams", works, " ")
	title["requests"] = "a request"
	title["requests-idle"] = "beside idle ones"
	title["requests-http"] = "in mode http"
	title["connections"] = "a connection"
	title["datagrams"] = "a datagram"
	print "instructions of the proxy's own code, to the better peer's," \
		" and system calls:"
	printf "  %-14s", ""
	for (w = 1; w <= n_works; w++)
		printf "%22s", title[works[w]]
	print ""
	printf "{\"rows\": [" >json
	for (i = 1; i <= n_ways; i++) {
		printf "  %-14s", ways[i]
		for (w = 1; w <= n_works; w++) {
			printf "  %s", cell(ways[i], works[w])
			if (!((ways[i], works[w]) in spent))
				continue
			printf "%s\n  {\"work\": \"%s\", \"way\": \"%s\", " \
				"\"user_instructions\": %d, " \
				"\"system_calls\": %.1f}", comma, works[w],
				ways[i], spent[ways[i], works[w]],
				calls[ways[i], works[w]] >json
			comma = ","
		}
		print ""
	}
	printf "\n]}" >json
}
