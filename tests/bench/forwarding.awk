# SPDX-License-Identifier: GPL-2.0-or-later
#
# forwarding.awk - samples of tests/bench/forwarding as a table, and as JSON in
# `json`.
#
# Medians. The ratios are of processor time a packet, which does not depend on
# what else the machine does, to that without and with one service.

{
	key = $1 " " $2
	if (!(key in n)) {
		keys[++n_keys] = key
		if (!($1 in seen))
			traffics[++n_traffics] = $1
		seen[$1] = 1
	}
	n[key]++
	rate[key, n[key]] = $3 * 1e9 / $4
	cost[key, n[key]] = $5 / $3
}

function median(values, key,    i, k, sorted, v) {
	for (i = 1; i <= n[key]; i++) {
		v = values[key, i]
		for (k = i; k > 1 && sorted[k - 1] > v; k--)
			sorted[k] = sorted[k - 1]
		sorted[k] = v
	}
	i = int((n[key] + 1) / 2)
	return n[key] % 2 ? sorted[i] : (sorted[i] + sorted[i + 1]) / 2
}

END {
	what["udp"] = "datagrams of flows that are known"
	what["new-udp"] = "first datagrams of flows"
	what["new-tcp"] = "first packets of connections (SYN)"
	printf "{\"unit\": \"packets per second\", \"samples\": [" >json
	for (t = 1; t <= n_traffics; t++) {
		print (t > 1 ? "\n" : "") what[traffics[t]] ":"
		print "  services   packets/s   processor ns   of 0   of 1"
		for (k = 1; k <= n_keys; k++) {
			split(keys[k], part, " ")
			if (part[1] != traffics[t])
				continue
			r = median(rate, keys[k])
			c = median(cost, keys[k])
			if (part[2] == 0)
				plain = c
			if (part[2] == 1)
				one = c
			printf "  %8d  %10d  %13d  %5.2f  %s\n", part[2], r,
				c, c / plain,
				part[2] ? sprintf("%5.2f", c / one) : "    -"
			printf "%s\n  {\"traffic\": \"%s\", " \
				"\"services\": %d, \"rounds\": %d, " \
				"\"packets_per_second\": %d, " \
				"\"cpu_ns_per_packet\": %d}", \
				comma, part[1], part[2], n[keys[k]], r, c >json
			comma = ","
		}
	}
	print "\n]}" >json
}
